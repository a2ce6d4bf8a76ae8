// The width of an element, so that a drawing keeps the size of its text on every screen.
import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

/** A reference for the element, and its width in pixels; `initial` until it is known. */
export function useWidth(initial: number): [RefObject<HTMLElement | null>, number] {
  const element = useRef<HTMLElement | null>(null);
  const [width, setWidth] = useState(initial);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.max(220, Math.round(entry!.contentRect.width))));
    observer.observe(element.current!);
    return () => observer.disconnect();
  }, []);
  return [element, width];
}
