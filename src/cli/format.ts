// Numbers as text for people.

/** 83 -> "1:23", 5025 -> "1:23:45". Rounded to whole seconds. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const twoDigits = (part: number): string => String(part).padStart(2, "0");
  return hours > 0 ? `${hours}:${twoDigits(minutes)}:${twoDigits(rest)}` : `${minutes}:${twoDigits(rest)}`;
}

/** 0.875 -> "87.5%" */
export const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;

/** "91.0% to 97.3%" */
export const intervalText = ([low, high]: readonly [low: number, high: number]): string =>
  `${percent(low)} to ${percent(high)}`;

/** 0.11 -> "+11.0": a difference of shares in percentage points. */
export const points = (difference: number): string => (difference < 0 ? "" : "+") + (100 * difference).toFixed(1);

/** A share as percent; "-" if it was not measured. */
export const shareText = (share: number | null): string => (share === null ? "-" : percent(share));

/** 5028866 -> "5,028,866" */
export const thousands = (number: number): string => number.toLocaleString("en-US");

/** A loss with enough digits to show a change at any size. */
export const lossText = (loss: number): string => (loss >= 0.01 ? loss.toFixed(3) : loss.toExponential(1));

/** "1 step", "2 steps" */
export const counted = (count: number, noun: string): string => `${thousands(count)} ${noun}${count === 1 ? "" : "s"}`;

/** A text on one line, for messages: line breaks become spaces, and other characters that a terminal obeys are escaped. */
export const oneLine = (text: string): string =>
  text
    .trimEnd()
    .split(/[\r\n]+/)
    .map((line, i, all) => (i === 0 ? line.trimEnd() : i === all.length - 1 ? line.trimStart() : line.trim()))
    .join(" ")
    .replace(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu, (mark) => `\\u{${mark.codePointAt(0)!.toString(16)}}`);
