// The order in which kernels run. The engine calls kernels synchronously. Where gpu.js answers at once, so do we; where it
// answers with a promise (WebGPU, and every mode of gpu.js 3), calls become commands that run one after another, and reading
// numbers back waits for those before it.

export interface CommandQueue {
  push(command: () => Promise<void> | void): void;
  /** Settles when everything pushed so far has run. */
  idle(): Promise<void>;
}

export class ImmediateQueue implements CommandQueue {
  push(command: () => Promise<void> | void): void {
    void command();
  }
  idle(): Promise<void> {
    return Promise.resolve();
  }
}

export class AsyncQueue implements CommandQueue {
  private waiting: (() => Promise<void> | void)[] = [];
  private running: Promise<void> | null = null;

  push(command: () => Promise<void> | void): void {
    this.waiting.push(command);
    this.running ??= this.drain();
  }

  async idle(): Promise<void> {
    while (this.running) await this.running;
  }

  private async drain(): Promise<void> {
    // Not before the synchronous code that pushes commands has ended: one turn of the event loop serves them all.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const batch = this.waiting;
      this.waiting = [];
      for (const command of batch) await command();
    }
    this.running = null;
  }
}
