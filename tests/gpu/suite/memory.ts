// Memory: the scopes release every array that a kernel creates.
import * as t from "../../../src/tensor/index.ts";
import { type Case, check, checkEqual, checkThrows } from "./case.ts";
import { liveGpuObjects } from "./gpu-objects.ts";

export const memoryCases: readonly Case[] = [
  {
    name: "5,000 kernel calls leak no array, texture or buffer",
    async run(backend) {
      const x = t.full([8, 1024], 0.5, "float32", backend);
      const calls = async (count: number): Promise<void> => {
        for (let i = 0; i < count; i += 5) {
          const total = t.scope(() => t.sum(t.tanh(t.add(t.multiply(x, x), x))), { backend });
          if (i % 100 === 0) await total.data();
          total.dispose();
        }
        await x.data(); // waits for all commands
      };
      await calls(50);
      const [before, objectsBefore] = [backend.statistics(), liveGpuObjects()];
      await calls(5000);
      const [after, objectsAfter] = [backend.statistics(), liveGpuObjects()];
      check(after.launches - before.launches >= 5000, `got ${after.launches - before.launches} launches`);
      checkEqual("kernels compiled", after.compiled, before.compiled);
      checkEqual("live arrays", after.liveArrays, before.liveArrays);
      checkEqual("live bytes", after.liveArrayBytes, before.liveArrayBytes);
      const isOnGpu = backend.mode !== "cpu" && backend.mode !== "webasm";
      check(!isOnGpu || objectsBefore !== null, "textures or buffers are not counted");
      checkEqual("textures or buffers of the browser or driver", objectsAfter, objectsBefore);
      x.dispose();
    },
  },
  {
    name: "a kernel dropped from the cache still serves its live results",
    async run(backend) {
      const kept = t.scope(() => t.affine(t.tensor([1, 2, 3, 4, 5, 6, 7]), 2), { backend });
      backend.keepKernels(4);
      for (const length of [101, 102, 103, 104]) t.scope(() => void t.exp(t.full([length], 1)), { backend });
      checkEqual("kernels in the cache", backend.statistics().cached, 4);
      backend.keepKernels(512);
      checkEqual("numbers", (await kept.data()).join(), "2,4,6,8,10,12,14");
      checkEqual("used again", (await backendSum(backend, kept)).join(), "56");
      const { liveArrays } = backend.statistics();
      kept.dispose();
      checkEqual("live arrays after dispose", backend.statistics().liveArrays, liveArrays - 1);
    },
  },
  {
    name: "a tensor of another backend is rejected",
    async run(backend) {
      const elsewhere = t.tensor([1], { backend: new t.ReferenceBackend() });
      const out = t.empty([1], "float32", backend);
      await checkThrows("negate", "got a tensor on reference, expected one on gpu", () =>
        backend.kernels.unary("negate", out, elsewhere),
      );
      out.dispose();
    },
  },
];

async function backendSum(backend: t.Backend, x: t.Tensor): Promise<t.NumberArray> {
  const total = t.scope(() => t.sum(x), { backend });
  const numbers = await total.data();
  total.dispose();
  return numbers;
}
