// The time that a training takes, without the pauses of a process that was stopped (Ctrl-Z) or of a computer that slept.

/** Seconds that count at most between two readings: more than any step, or part of a step, takes. */
const longestGap = 300;

/** Counts the seconds of a training. Read it at least after every step: a longer gap between two readings counts as five minutes. */
export class WorkClock {
  #seconds: number;
  #last = performance.now();

  /** @param seconds  seconds of work before */
  constructor(seconds = 0) {
    this.#seconds = seconds;
  }

  /** Seconds of work so far. */
  read(): number {
    const now = performance.now();
    this.#seconds += Math.min((now - this.#last) / 1000, longestGap);
    this.#last = now;
    return this.#seconds;
  }
}
