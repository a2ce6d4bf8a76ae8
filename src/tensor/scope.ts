// Scopes: who owns the memory of a tensor, and which settings apply.
//
// Kernel memory is not garbage-collected. Every tensor created inside `scope(...)` is disposed when the scope ends, unless it is
// returned or kept. Its memory then returns to the backend's free lists, so a training loop in its steady state allocates
// nothing. Outside any scope a tensor lives until its `dispose()` is called.
//
// The current scope also carries the settings: the backend for new tensors, whether operations are recorded for
// differentiation, and whether fused operations may replace their definitions. It is the only mutable global of the engine.
import { expectFunction, expectObject } from "./arguments.ts";
import type { Backend } from "./backend.ts";
import type { Tensor } from "./tensor.ts";
import { Unowned } from "./unowned.ts";

/** Settings of a scope; inner scopes inherit them. */
export interface ScopeSettings {
  /** The backend for new tensors. */
  readonly backend: Backend;
  /** Whether autograd records operations; see noGrad. */
  readonly recording: boolean;
  /** Whether the tape keeps the output of every operation, so that tools can show it; see inspectTape. */
  readonly keepOutputs: boolean;
  /** Whether fused operations run as one kernel; if false, their composed definitions run instead. */
  readonly fused: boolean;
}

/** Implemented by objects that hold tensors (Variable), so that a scope can find the tensors in its result. */
export const tensorsHeld: unique symbol = Symbol("tensorsHeld");
/** An object that holds tensors, such as a Variable. */
export interface HoldsTensors {
  [tensorsHeld](): Iterable<Tensor>;
}

class Scope {
  constructor(
    public settings: Partial<ScopeSettings>,
    readonly parent: Scope | null,
    /** null for the root, which owns nothing. */
    readonly owned: Set<Tensor> | null,
    /** The tensors that were kept inside, if `releaseOnError` needs to know them. */
    readonly kept: Set<Tensor> | null = null,
  ) {}
}

let current = new Scope({ recording: true, keepOutputs: false, fused: true }, null, null);

function setting<K extends keyof ScopeSettings>(name: K): ScopeSettings[K] | undefined {
  for (let scope: Scope | null = current; scope; scope = scope.parent) {
    const value = scope.settings[name];
    if (value !== undefined) return value as ScopeSettings[K];
  }
  return undefined;
}

/** Whether operations on variables are recorded on the tape; see `noGrad`. */
export const isRecording = (): boolean => setting("recording")!;
/** Whether the tape keeps the output of every operation; see `inspectTape`. */
export const keepsOutputs = (): boolean => setting("keepOutputs")!;
/** Whether fused kernels may replace the operations that define them. */
export const usesFusedOperations = (): boolean => setting("fused")!;

/** The backend chosen for the current scope or for the root, if there is one; see `defaultBackend`. */
export const scopedBackend = (): Backend | undefined => setting("backend");

/** Sets the backend of the root, which applies in all scopes that do not choose their own. */
export function setRootBackend(backend: Backend): void {
  let root = current;
  while (root.parent) root = root.parent;
  root.settings = { ...root.settings, backend };
}

/** Live tensors that belong to no scope and are not kept. */
const unowned = new Unowned();

/** Called by every new tensor. */
export function own(tensor: Tensor): void {
  if (current.owned) current.owned.add(tensor);
  else unowned.add(tensor);
}

/** Called by every disposed tensor. */
export function disown(tensor: Tensor): void {
  for (let scope: Scope | null = current; scope; scope = scope.parent) {
    if (scope.owned?.delete(tensor)) return;
  }
  unowned.forget(tensor);
}

/** Removes a tensor from its scope, so that it lives until `dispose()`. Returns the tensor. */
export function keep<T extends Tensor>(tensor: T): T {
  disown(tensor);
  for (let scope: Scope | null = current; scope; scope = scope.parent) scope.kept?.add(tensor);
  return tensor;
}

/** Runs `body`, which creates an object with tensors that it keeps. If it throws, they are disposed too. */
export function releaseOnError<T>(body: () => T): T {
  expectFunction("releaseOnError", "the body", body);
  const kept = new Set<Tensor>();
  const enclosing = current;
  current = new Scope({}, enclosing, enclosing.owned, kept);
  try {
    return body();
  } catch (error) {
    for (const tensor of kept) tensor.dispose();
    throw error;
  } finally {
    current = enclosing;
  }
}

/**
 * Runs `body` and disposes every tensor it created, except those in its result (a tensor, a Variable, or arrays and plain
 * objects of them), which pass to the enclosing scope.
 *
 * @param settings  settings that apply inside, for example `{ backend }`
 * @throws Error if `body` is asynchronous: a scope covers synchronous computation only
 */
export function scope<T>(body: () => T, settings: Partial<ScopeSettings> = {}): T {
  expectFunction("scope", "the body", body);
  expectObject("scope", "the settings", settings);
  const scope = new Scope(settings, current, new Set());
  current = scope;
  let result: T | undefined;
  let returned = new Set<Tensor>();
  try {
    result = body();
    if (result instanceof Promise) {
      result.catch(() => {}); // Its tensors are disposed below, so it will fail; that failure must not end the process.
      throw new Error("scope: the body returned a Promise, expected a synchronous body (read results back outside)");
    }
    returned = new Set(tensorsIn(result));
    return result;
  } finally {
    current = scope.parent!;
    for (const tensor of scope.owned!) {
      if (returned.has(tensor)) own(tensor);
      else tensor.dispose();
    }
  }
}

function* tensorsIn(value: unknown): Iterable<Tensor> {
  if (typeof value !== "object" || value === null) return;
  if (tensorsHeld in value) yield* (value as HoldsTensors)[tensorsHeld]();
  else if (Array.isArray(value) || value instanceof Set) for (const item of value) yield* tensorsIn(item);
  else if (value instanceof Map) for (const item of value.values()) yield* tensorsIn(item);
  else if (Object.getPrototypeOf(value) === Object.prototype) {
    for (const item of Object.values(value)) yield* tensorsIn(item);
  }
}
