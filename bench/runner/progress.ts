// Shows the progress and the remaining time on standard error: one changing line on a terminal, otherwise one line per part.

export class Progress {
  readonly #total: number;
  readonly #begin = performance.now();
  #done = 0;
  #task = "";

  constructor(total: number) {
    this.#total = total;
  }

  /** Starts a part. */
  start(task: string): void {
    this.#task = task;
    this.#show("");
  }

  /** Shows progress within the part, on terminals only. */
  detail(text: string): void {
    if (process.stderr.isTTY) this.#show(text);
  }

  finish(): void {
    this.#done++;
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write("\r\x1b[2K");
  }

  #show(detail: string): void {
    const passed = performance.now() - this.#begin;
    const left = this.#done > 0 ? `, about ${duration((passed / this.#done) * (this.#total - this.#done))} left` : "";
    const line = `[${this.#done + 1}/${this.#total}] ${this.#task}${detail && ` ${detail}`}${left}`;
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[2K${line.slice(0, process.stderr.columns - 1)}` : `${line}\n`);
  }
}

/** A duration as text: 40 s, 12 min, 2 h 5 min. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
