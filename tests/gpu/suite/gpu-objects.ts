// Counts the textures and buffers that exist in the browser or the driver, to verify the backend's own count. Counting starts with
// `countGpuObjects`, which must be called before the first context is created.

let live: number | null = null;

/** Number of live textures (WebGL) or buffers (WebGPU); null if they are not counted. */
export const liveGpuObjects = (): number | null => live;

type Method = (...inputs: unknown[]) => unknown;

/** Counts the calls of the method that creates objects and of the method that deletes them. */
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

/** Counts the objects of all contexts that a page creates from now on. */
export function countGpuObjects(): void {
  const page = globalThis as unknown as Record<string, { prototype: object } | undefined>;
  count(page.WebGL2RenderingContext?.prototype, "createTexture", "deleteTexture");
  count(page.GPUDevice?.prototype, "createBuffer", "destroy", page.GPUBuffer?.prototype);
}

/** Counts the textures of one headless GL context. */
export const countTexturesOf = (context: object): void => count(context, "createTexture", "deleteTexture");
