// The scrubber: the one control of time. The upper row has the supervision steps, the lower row the updates of the current one, with
// the cycles that leave no tape hatched. All views follow it.
import type { JSX } from "preact";
import { frameCount, framesPerStep, indexOf } from "../../shared/frames.ts";
import { frame, frames, index, isPlaying, moveBy, moveByStep, moveTo, output, place, play, shape } from "../state.ts";
import { Sign, signOf } from "./sign.tsx";

/** Where the scrubber stands, in words. */
export function placeText(): string {
  const { step, cycle, update } = place.value;
  if (step === 0) return "the puzzle, before the first update";
  const { T, updates, steps } = shape.value;
  return `step ${step} of ${steps}, cycle ${cycle} of ${T}, update ${update} of ${updates.length}: ${updates[update - 1]}`;
}

export function Scrubber(): JSX.Element {
  const { T, updates, steps } = shape.value;
  const at = place.value;
  const size = framesPerStep(shape.value);
  const step = Math.max(1, at.step);
  const ready = frames.value.length;
  return (
    <section class="scrubber" aria-label="Time">
      <div class="scrubber-buttons">
        <button
          type="button"
          onClick={() => moveTo(-1)}
          title="Back to the puzzle (Home)"
          aria-label="Back to the puzzle"
        >
          <Icon d="M4 3v10M13 3 6 8l7 5z" />
        </button>
        <button type="button" onClick={() => moveBy(-1)} title="One update back (←)" aria-label="One update back">
          <Icon d="M11 3 4 8l7 5z" />
        </button>
        <button
          type="button"
          class="primary"
          onClick={() => play(!isPlaying.value)}
          title="Play or pause (Space)"
          aria-label={isPlaying.value ? "Pause" : "Play"}
        >
          {isPlaying.value ? <Icon d="M4 3h3v10H4zM9 3h3v10H9z" /> : <Icon d="M4 2.500 13 8l-9 5.500z" />}
        </button>
        <button type="button" onClick={() => moveBy(1)} title="One update forward (→)" aria-label="One update forward">
          <Icon d="M5 3l7 5-7 5z" />
        </button>
        <button
          type="button"
          onClick={() => moveByStep(1)}
          title="One supervision step forward (Shift →)"
          aria-label="One supervision step forward"
        >
          <Icon d="M3 3l6 5-6 5zM12 3v10" />
        </button>
      </div>
      <div class="scrubber-time">
        <input
          type="range"
          class="scrubber-range"
          aria-label="Place in the recursion"
          aria-valuetext={placeText()}
          min={-1}
          max={frameCount(shape.value) - 1}
          value={index.value}
          onInput={(event) => moveTo(Number(event.currentTarget.value))}
        />
        <div class="scrubber-steps" aria-hidden="true">
          {Array.from({ length: steps }, (_, i) => (
            <button
              key={i}
              type="button"
              tabIndex={-1}
              class={`scrubber-step${i + 1 === at.step ? " current" : ""}${(i + 1) * size > ready ? " waiting" : ""}`}
              onClick={() => moveTo((i + 1) * size - 1)}
            >
              {i + 1}
            </button>
          ))}
        </div>
        <div class="scrubber-updates" aria-hidden="true">
          {Array.from({ length: T }, (_, cycle) => (
            <div key={cycle} class={`scrubber-cycle${cycle < T - 1 ? " no-tape" : ""}`}>
              {updates.map((latent, update) => {
                const own = { step, cycle: cycle + 1, update: update + 1 };
                const target = indexOf(own, shape.value);
                const isOnTape = frames.value[target]?.onTape ?? cycle === T - 1;
                return (
                  <button
                    key={target}
                    type="button"
                    tabIndex={-1}
                    class={`scrubber-update${target === index.value ? " current" : ""}`}
                    onClick={() => moveTo(target)}
                  >
                    <Sign name={signOf(latent, output.value)} hollow={!isOnTape} />
                  </button>
                );
              })}
            </div>
          ))}
        </div>
      </div>
      <p class="scrubber-place" aria-hidden="true">
        {at.step === 0 ? (
          "the puzzle"
        ) : (
          <>
            step <b>{at.step}</b>/{steps} · cycle <b>{at.cycle}</b>/{T} ·{" "}
            <span class={`named-${signOf(frame.value?.latent ?? output.value, output.value)}`}>
              <i>{frame.value?.latent ?? ""}</i>
            </span>
          </>
        )}
      </p>
    </section>
  );
}

export function Icon({ d }: { d: string }): JSX.Element {
  return (
    <svg class="icon" width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
      <path d={d} />
    </svg>
  );
}
