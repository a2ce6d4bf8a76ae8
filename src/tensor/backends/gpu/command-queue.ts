// The order in which kernels run. The engine calls kernels synchronously. If gpu.js returns results synchronously, each command runs
// immediately. On WebGPU, where it returns promises, commands are queued and run one after another, and reading numbers back waits
// for the commands before it. gpu.js 3, which returns promises in every mode, is not supported (see Device).

export interface CommandQueue {
  push(command: () => Promise<void> | void): void;
  /** Resolves when all commands pushed so far have run. */
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
    // Starts after the synchronous code that pushes commands, so that one batch contains all of them.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const batch = this.waiting;
      this.waiting = [];
      for (const command of batch) await command();
    }
    this.running = null;
  }
}
