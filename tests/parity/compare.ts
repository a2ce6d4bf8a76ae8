// Collects the comparisons of a replay. The case passes if no error exceeds its tolerance.

export class Comparison {
  /** Largest error so far, as a share of its tolerance. */
  worst = 0;
  worstError = 0;
  worstWhere = "nothing compared";
  count = 0;

  /** Requires max |got - expected| <= tolerance · max |expected|. */
  close(where: string, got: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
    if (got.length !== expected.length) {
      this.#note(
        `${where} (got ${got.length} numbers, expected ${expected.length})`,
        Number.POSITIVE_INFINITY,
        tolerance,
      );
      return;
    }
    let largest = 0;
    let error = 0;
    for (let i = 0; i < expected.length; i++) {
      largest = Math.max(largest, Math.abs(expected[i]!));
      const difference = Math.abs(got[i]! - expected[i]!);
      error = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(error, difference);
    }
    this.#note(where, error === 0 ? 0 : error / Math.max(largest, 1e-12), tolerance);
  }

  /** Requires exact equality: integers, flags, predictions. */
  equal(where: string, got: ArrayLike<unknown>, expected: ArrayLike<unknown>): void {
    const same = got.length === expected.length && Array.from(got).every((value, i) => value === expected[i]);
    this.#note(where, same ? 0 : Number.POSITIVE_INFINITY, 1);
  }

  #note(where: string, error: number, tolerance: number): void {
    this.count++;
    if (error / tolerance >= this.worst) {
      this.worst = error / tolerance;
      this.worstError = error;
      this.worstWhere = where;
    }
  }

  get passes(): boolean {
    return this.count > 0 && this.worst <= 1;
  }
}
