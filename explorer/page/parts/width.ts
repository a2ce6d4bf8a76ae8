// The width of an element, so that a drawing keeps the size of its text on every screen.
import { useEffect, useState } from "preact/hooks";

/** A `ref` for the element, and its width in pixels; `initial` until it is known. */
export function useWidth(initial: number): [ref: (element: HTMLElement | null) => void, width: number] {
  const [element, setElement] = useState<HTMLElement | null>(null);
  const [width, setWidth] = useState(initial);
  useEffect(() => {
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.max(220, Math.round(entry!.contentRect.width))));
    observer.observe(element);
    return () => observer.disconnect();
  }, [element]);
  return [setElement, width];
}
