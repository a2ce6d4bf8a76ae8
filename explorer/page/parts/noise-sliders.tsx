// The settings of rollouts: how much noise, and how many.
import type { JSX } from "preact";
import { go, link } from "../state.ts";

export function NoiseSliders(): JSX.Element {
  const { sigma, rollouts } = link.value;
  return (
    <>
      <label class="setting slider">
        <span>
          noise on z <b class="number">{sigma}</b>
        </span>
        <input
          type="range"
          min={0}
          max={4}
          step={0.1}
          value={sigma}
          onInput={(event) => go({ sigma: Number(event.currentTarget.value) })}
        />
        <span class="note">standard deviation of the noise; the root mean square of z is about 1</span>
      </label>
      <label class="setting slider">
        <span>
          rollouts <b class="number">{rollouts}</b>
        </span>
        <input
          type="range"
          min={1}
          max={32}
          value={rollouts}
          onInput={(event) => go({ rollouts: Number(event.currentTarget.value) })}
        />
        <span class="note">tries per puzzle</span>
      </label>
    </>
  );
}
