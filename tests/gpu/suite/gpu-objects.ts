// Textures and buffers that exist in the browser or the driver, counted where they are made: the check on our own counting.
// Off (null) until `countGpuObjects` has been called, before the first context is made.

let live: number | null = null;

/** Textures (WebGL) or buffers (WebGPU) made and not deleted; null where nobody counts. */
export const liveGpuObjects = (): number | null => live;

type Method = (...inputs: unknown[]) => unknown;

/** Counts the calls of two methods of an object that make and delete. */
function count(prototype: object | undefined, make: string, remove: string, removedFrom = prototype): void {
  if (!prototype || !removedFrom) return;
  live ??= 0;
  wrap(prototype, make, () => {
    live!++;
  });
  wrap(removedFrom, remove, () => {
    live!--;
  });
}

function wrap(target: object, name: string, afterwards: () => void): void {
  const methods = target as Record<string, Method>;
  const method = methods[name]!;
  methods[name] = function (this: unknown, ...inputs: unknown[]) {
    const result = method.apply(this, inputs);
    afterwards();
    return result;
  };
}

/** In a page: every context from now on. */
export function countGpuObjects(): void {
  const page = globalThis as unknown as Record<string, { prototype: object } | undefined>;
  count(page.WebGL2RenderingContext?.prototype, "createTexture", "deleteTexture");
  count(page.GPUDevice?.prototype, "createBuffer", "destroy", page.GPUBuffer?.prototype);
}

/** One context of headless GL. */
export const countTexturesOf = (context: object): void => count(context, "createTexture", "deleteTexture");
