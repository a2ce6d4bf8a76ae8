// The boundary to gpu.js: the parts of its interface that this backend uses, with stricter types than its own. gpu.js is imported
// dynamically, so that it is only needed if the gpu backend is used.
import { BackendError } from "../../errors.ts";

/** Where kernels run. The first three modes keep results on the GPU; the last two run without a GPU. */
export const gpuModes = ["webgpu", "webgl2", "headlessgl", "webasm", "cpu"] as const;
export type GpuMode = (typeof gpuModes)[number];

/** The gpu.js class of kernels for each mode. It is verified, because gpu.js falls back to the cpu with only a console warning. */
export const kernelClasses: Readonly<Record<GpuMode, string>> = {
  webgpu: "WebGPUKernel",
  webgl2: "WebGL2Kernel",
  headlessgl: "HeadlessGLKernel",
  webasm: "WebAssemblyKernel",
  cpu: "CPUKernel",
};

/** Numbers on the GPU: a texture (WebGL) or a buffer (WebGPU). Must be deleted explicitly. */
export interface DeviceHandle {
  toArray(): Float32Array | Promise<Float32Array>;
  delete(): void;
}

/** The result of a kernel: a handle, or a plain array in the modes without a GPU. */
export type DeviceArray = DeviceHandle | Float32Array;

export const isHandle = (array: DeviceArray): array is DeviceHandle => "toArray" in array;

/** A callable kernel. On WebGPU (and in every mode of gpu.js 3) it returns a promise. */
export interface GpuKernel {
  (...inputs: readonly (DeviceArray | number)[]): DeviceArray | Promise<DeviceArray>;
  /** The kernel that actually runs; gpu.js replaces it when it falls back. */
  readonly kernel: {
    readonly constructor: unknown;
    readonly fallbackReason?: string | null;
    readonly context?: unknown;
  };
  destroy(): void;
}

export interface KernelSettings {
  readonly output: readonly [number];
  readonly constants: Readonly<Record<string, number>>;
  /** Sources of functions that the kernel calls. */
  readonly functions: readonly string[];
  readonly pipeline: boolean;
  readonly immutable: boolean;
  readonly precision: "single";
  readonly tactic: "precision";
}

interface Gpu {
  /** Kernels that have not been destroyed. */
  readonly kernels: unknown[];
  createKernel(source: string, settings: KernelSettings): GpuKernel;
  destroy(): Promise<void>;
}

interface GpuClass {
  new (settings: { mode: GpuMode }): Gpu;
  readonly isHeadlessGLSupported: boolean;
  readonly isWebGL2Supported: boolean;
  readonly isWebAssemblySupported: boolean;
  isWebGPUAvailable(): Promise<boolean>;
}

type GpuJsModule = { readonly GPU: GpuClass } & Readonly<Record<string, unknown>>;

/** The interface of gpu.js that the rest of the backend uses. */
export interface KernelMaker {
  readonly mode: GpuMode;
  createKernel(source: string, settings: KernelSettings): GpuKernel;
  /** Verifies the class of a kernel that has run. @throws BackendError if it is not the class of the mode */
  checkClass(kernel: GpuKernel, what: string): void;
  destroyKernel(kernel: GpuKernel): void;
  /** Destroys all kernels and the context. */
  destroy(): Promise<void>;
}

/** The GPU instance of gpu.js; there is one per process. */
export class GpuJs implements KernelMaker {
  private constructor(
    private readonly module: GpuJsModule,
    private readonly gpu: Gpu,
    readonly mode: GpuMode,
  ) {}

  /** @throws BackendError if gpu.js is not installed or the mode cannot run here */
  static async open(mode: GpuMode): Promise<GpuJs> {
    const module = await loadGpuJs();
    const reason = await unavailable(module, mode);
    if (reason) throw new BackendError(`gpu backend: got mode ${mode}, which cannot run here: ${reason}`);
    return new GpuJs(module, new module.GPU({ mode }), mode);
  }

  createKernel(source: string, settings: KernelSettings): GpuKernel {
    return this.gpu.createKernel(source, settings);
  }

  /**
   * Verifies the class of a kernel that has run. Compares the class itself, because minifiers change its name.
   * @throws BackendError with the class that ran and the reason that gpu.js gives
   */
  checkClass({ kernel }: GpuKernel, what: string): void {
    const expected = kernelClasses[this.mode];
    if (kernel.constructor === this.module[expected]) return;
    const got =
      Object.values(kernelClasses).find((name) => this.module[name] === kernel.constructor) ?? "another class";
    throw new BackendError(
      `gpu backend: ${what} ran as ${got}, expected ${expected} (${kernel.fallbackReason ?? "gpu.js gives no reason"})`,
    );
  }

  destroyKernel(kernel: GpuKernel): void {
    kernel.destroy();
    // gpu.js does not remove cpu kernels from its list.
    const at = this.gpu.kernels.indexOf(kernel.kernel);
    if (at >= 0) this.gpu.kernels.splice(at, 1);
  }

  async destroy(): Promise<void> {
    await this.gpu.destroy();
  }
}

/** @throws BackendError with the command that installs gpu.js */
async function loadGpuJs(): Promise<GpuJsModule> {
  let loaded: { default?: unknown };
  try {
    loaded = await import("gpu.js");
  } catch (cause) {
    throw new BackendError("gpu backend: gpu.js is not installed, expected it beside trm-ts: npm install gpu.js", {
      cause,
    });
  }
  // gpu.js is CommonJS: its exports are the default export. In a page that is the GPU class, which has the others as properties.
  return (loaded.default ?? loaded) as GpuJsModule;
}

/** The reason why a mode cannot run here, or null if it can. */
async function unavailable({ GPU }: GpuJsModule, mode: GpuMode): Promise<string | null> {
  switch (mode) {
    case "webgpu":
      return (await GPU.isWebGPUAvailable()) ? null : "no WebGPU adapter (a page or worker with WebGPU is needed)";
    case "webgl2":
      return GPU.isWebGL2Supported ? null : "no WebGL2 context (a page or worker with WebGL2 is needed)";
    case "headlessgl":
      return GPU.isHeadlessGLSupported ? null : "no headless GL (npm install gl, and an X display: xvfb-run -a)";
    case "webasm":
      return GPU.isWebAssemblySupported ? null : "no WebAssembly";
    case "cpu":
      return null;
  }
}

/** The modes that can run here, best first, and the reasons why the others cannot. */
export async function availableModes(): Promise<{ modes: GpuMode[]; reasons: string[] }> {
  const module = await loadGpuJs();
  const found = await Promise.all(gpuModes.map(async (mode) => ({ mode, reason: await unavailable(module, mode) })));
  return {
    modes: found.filter(({ reason }) => reason === null).map(({ mode }) => mode),
    reasons: found.flatMap(({ mode, reason }) => (reason === null ? [] : [`${mode}: ${reason}`])),
  };
}

/** Name of the GPU of a kernel that has run, or null if the platform does not reveal it. */
export function gpuName({ kernel }: GpuKernel): string | null {
  const context = kernel.context as Partial<WebGL2RenderingContext> & { adapter?: { info?: AdapterInfo } };
  if (context?.adapter) {
    const { vendor, architecture, description } = context.adapter.info ?? {};
    return [vendor, architecture, description].filter(Boolean).join(" ") || null;
  }
  if (!context?.getParameter || !context.getExtension) return null;
  const names = context.getExtension("WEBGL_debug_renderer_info");
  const name: unknown = context.getParameter(names ? names.UNMASKED_RENDERER_WEBGL : 0x1f01); // RENDERER
  return typeof name === "string" ? name : null;
}

interface AdapterInfo {
  readonly vendor?: string;
  readonly architecture?: string;
  readonly description?: string;
}
