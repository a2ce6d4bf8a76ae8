// The protocol between page and worker, over a real pair of ports: answers, progress, errors, cancelling, transfers.
import { afterEach, describe, expect, it } from "vitest";
import {
  answerCalls,
  type CallContext,
  type Caller,
  callerOf,
  type Port,
  type Reply,
  type Request,
} from "../../explorer/shared/protocol.ts";

type TestCalls = {
  double: { args: number; progress: never; result: number };
  count: { args: number; progress: number; result: string };
  fail: { args: string; progress: never; result: never };
  wait: { args: null; progress: string; result: null };
  numbers: { args: number; progress: never; result: Float32Array };
};

let channel: MessageChannel | null = null;
const ended: unknown[] = [];
const sent: ArrayBuffer[] = [];

function connect(): Caller<TestCalls> {
  channel = new MessageChannel();
  answerCalls<TestCalls>(channel.port2 as unknown as Port<Reply, Request>, {
    double: (value) => 2 * value,
    async count(to, { progress }) {
      for (let i = 1; i <= to; i++) progress(i);
      return `${to} reports`;
    },
    fail(message) {
      throw new RangeError(message);
    },
    wait: (_, { signal, progress }: CallContext<string>) =>
      new Promise((_resolve, reject) => {
        progress("waiting");
        signal.addEventListener("abort", () => {
          ended.push("aborted");
          progress("too late");
          reject(signal.reason);
        });
      }),
    numbers(count) {
      const result = new Float32Array(count).fill(7);
      sent.push(result.buffer as ArrayBuffer);
      return result;
    },
  });
  return callerOf<TestCalls>(channel.port1 as unknown as Port<Request, Reply>);
}

afterEach(() => {
  channel?.port1.close();
  channel?.port2.close();
  ended.length = 0;
});

describe("a call", () => {
  it("is rejected if the worker cannot start, also when it is made later, and not by an error after an answer", async () => {
    const ports = [0, 1].map((): Port<Request, Reply> => ({ postMessage() {}, onmessage: null }));
    const [broken, started] = ports.map((port) => callerOf<TestCalls>(port));
    const early = broken!("double", 4);
    ports[0]!.onerror!({});
    await expect(early).rejects.toThrow("the worker could not be started");
    await expect(broken!("double", 4)).rejects.toThrow("the worker could not be started");

    const calls = [started!("double", 4), started!("double", 5)];
    ports[1]!.onmessage!({ data: { id: 1, result: 8 } });
    ports[1]!.onerror!({ message: "Uncaught Error" });
    ports[1]!.onmessage!({ data: { id: 2, result: 10 } });
    expect(await Promise.all(calls)).toEqual([8, 10]);
  });

  it("is answered, also while another one runs", async () => {
    const call = connect();
    const controller = new AbortController();
    const waiting = call("wait", null, { signal: controller.signal });
    expect(await Promise.all([call("double", 4), call("double", 5)])).toEqual([8, 10]);
    controller.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
  });

  it("reports its progress in order, before its result", async () => {
    const reports: number[] = [];
    const result = await connect()("count", 3, { onProgress: (value) => reports.push(value) });
    expect([reports, result]).toEqual([[1, 2, 3], "3 reports"]);
  });

  it("fails with the name and the message of the error in the worker", async () => {
    await expect(connect()("fail", "row 2, column 3")).rejects.toMatchObject({
      name: "RangeError",
      message: "row 2, column 3",
    });
  });

  it("fails if the worker does not know it", async () => {
    const call = connect() as unknown as (name: string, args: null) => Promise<unknown>;
    await expect(call("nothing", null)).rejects.toThrow('worker: unknown call "nothing"');
  });

  it("that is cancelled ends in the worker and reports nothing more", async () => {
    const call = connect();
    const controller = new AbortController();
    const reports: string[] = [];
    const waiting = call("wait", null, { signal: controller.signal, onProgress: (text) => reports.push(text) });
    await call("double", 1);
    controller.abort(new Error("stop"));
    await expect(waiting).rejects.toThrow("stop");
    await call("double", 1);
    expect(ended).toEqual(["aborted"]);
    expect(reports).toEqual(["waiting"]);
    await expect(call("wait", null, { signal: controller.signal })).rejects.toThrow("stop");
  });

  it("transfers the buffers of its result instead of copying them", async () => {
    const result = await connect()("numbers", 5);
    expect([...result]).toEqual([7, 7, 7, 7, 7]);
    expect(sent.at(-1)!.byteLength).toBe(0);
  });
});
