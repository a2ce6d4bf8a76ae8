// The part of Python's pickle format that a PyTorch state_dict needs, and nothing that runs code.
//
// A pickle is a program for a stack machine. Its dangerous instructions fetch a global by name and call it (GLOBAL, REDUCE, INST,
// OBJ, NEWOBJ, EXT). Here a global is looked up in a list that the caller passes, a call runs a function of that list, and every
// instruction that is missing from the table below is refused.
// None, booleans, numbers and strings become the same values in JavaScript; lists and tuples become arrays; dictionaries become Maps.
import { CheckpointError, shortened } from "./errors.ts";

/** An allowed global, under its full name such as "collections.OrderedDict". */
export class Global {
  constructor(
    readonly name: string,
    /** Returns the value of a call. A global without this function can only be named. */
    readonly build?: (parameters: readonly unknown[]) => unknown,
  ) {}
}

export interface PickleOptions {
  readonly globals: ReadonlyMap<string, Global>;
  /** Returns the value that a persistent id stands for. */
  readonly persistent: (id: unknown) => unknown;
  /** Name of the file for errors. */
  readonly where: string;
}

const MAX_STEPS = 1_000_000;
const MAX_STACK = 10_000;
const mark = Symbol("mark");

/** The value of the pickle. @throws CheckpointError for everything that is not plain data */
export function unpickle(bytes: Uint8Array, options: PickleOptions): unknown {
  const machine = new Machine(bytes, options);
  for (let step = 0; step < MAX_STEPS; step++) {
    const code = machine.u8();
    const instruction = Object.hasOwn(instructions, code) ? instructions[code] : undefined;
    if (!instruction) {
      const name = refusedInstructions[code] ?? "unknown";
      throw machine.refusal(`instruction 0x${code.toString(16).padStart(2, "0")} (${name}), expected plain data only`);
    }
    if (instruction === stop) return machine.pop();
    instruction(machine);
    if (machine.stack.length > MAX_STACK) throw machine.refusal(`more than ${MAX_STACK} values on the stack`);
  }
  throw machine.refusal(`more than ${MAX_STEPS} instructions`);
}

class Machine {
  readonly stack: unknown[] = [];
  readonly memo = new Map<number, unknown>();
  readonly #view: DataView;
  #at = 0;

  constructor(
    private readonly bytes: Uint8Array,
    readonly options: PickleOptions,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  refusal(problem: string): CheckpointError {
    return new CheckpointError(`${this.options.where}: pickle, byte ${this.#at}: ${problem}`);
  }

  u8 = (): number => this.#view.getUint8(this.#advance(1));
  u16 = (): number => this.#view.getUint16(this.#advance(2), true);
  i32 = (): number => this.#view.getInt32(this.#advance(4), true);
  u32 = (): number => this.#view.getUint32(this.#advance(4), true);
  f64 = (): number => this.#view.getFloat64(this.#advance(8), false);

  skip(length: number): void {
    this.#advance(length);
  }

  text(length: number): string {
    const start = this.#advance(length);
    try {
      const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
      return decoder.decode(this.bytes.subarray(start, start + length));
    } catch {
      throw this.refusal("a string is not UTF-8");
    }
  }

  /** Text up to the end of the line, which is skipped. */
  line(): string {
    const end = this.bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw this.refusal("the pickle ends within a name");
    const text = this.text(end - this.#at);
    this.#at++;
    return text;
  }

  /** A signed integer of at most 8 bytes. */
  long(length: number): number {
    if (length > 8) throw this.refusal(`an integer of ${length} bytes, expected at most 8`);
    let value = 0n;
    for (let i = 0; i < length; i++) value |= BigInt(this.u8()) << BigInt(8 * i);
    const number = Number(BigInt.asIntN(8 * length, value));
    if (!Number.isSafeInteger(number)) throw this.refusal(`the integer ${number}, expected less than 2^53`);
    return number;
  }

  push(value: unknown): void {
    this.stack.push(value);
  }

  pop(): unknown {
    if (this.stack.length === 0 || this.stack.at(-1) === mark)
      throw this.refusal("an instruction takes a value from an empty stack");
    return this.stack.pop();
  }

  top(): unknown {
    const value = this.pop();
    this.push(value);
    return value;
  }

  popMany(count: number): unknown[] {
    return Array.from({ length: count }, () => this.pop()).reverse();
  }

  popToMark(): unknown[] {
    const at = this.stack.lastIndexOf(mark);
    if (at < 0) throw this.refusal("an instruction needs a mark, but the stack has none");
    const values = this.stack.splice(at);
    return values.slice(1);
  }

  /** The name of a global on the stack: its module and its own name. */
  globalName(): string {
    const parts = this.popMany(2);
    const other = parts.find((part) => typeof part !== "string");
    if (other !== undefined) throw this.refusal(`names a global by ${describe(other)}, expected two strings`);
    return parts.join(".");
  }

  global(name: string): Global {
    const known = this.options.globals.get(name);
    if (!known) {
      throw this.refusal(
        `names "${shortened(name, 80)}", expected only what a state_dict of plain tensors consists of`,
      );
    }
    return known;
  }

  call(callee: unknown, parameters: unknown): unknown {
    if (!(callee instanceof Global) || !callee.build || !Array.isArray(parameters)) {
      throw this.refusal(`calls ${describe(callee)}, expected a function that builds tensors`);
    }
    return callee.build(parameters);
  }

  setItems(target: unknown, keysAndValues: readonly unknown[]): void {
    if (!(target instanceof Map)) throw this.refusal(`sets items of ${describe(target)}, expected a dictionary`);
    if (keysAndValues.length % 2 !== 0) throw this.refusal("sets a key without a value");
    for (let i = 0; i < keysAndValues.length; i += 2) {
      const key = keysAndValues[i];
      if (typeof key !== "string" && typeof key !== "number") {
        throw this.refusal(`the key ${describe(key)}, expected a name`);
      }
      if (target.has(key)) throw this.refusal(`the key "${shortened(String(key))}" occurs twice in a dictionary`);
      target.set(key, keysAndValues[i + 1]);
    }
  }

  append(target: unknown, values: readonly unknown[]): void {
    if (!Array.isArray(target)) throw this.refusal(`appends to ${describe(target)}, expected a list`);
    for (const value of values) target.push(value);
  }

  remember(index: number): void {
    this.memo.set(index, this.top());
  }

  recall(index: number): void {
    if (!this.memo.has(index)) throw this.refusal(`recalls value ${index}, which was never stored`);
    this.push(this.memo.get(index));
  }

  #advance(length: number): number {
    const start = this.#at;
    if (start + length > this.bytes.length) throw this.refusal("the pickle ends before it is complete");
    this.#at += length;
    return start;
  }
}

type Instruction = (machine: Machine) => void;

const stop: Instruction = () => {};

/** The accepted instructions, with the names of Python's pickletools. */
const instructions: Readonly<Record<number, Instruction>> = {
  128: (m) => m.skip(1), // PROTO
  149: (m) => m.skip(8), // FRAME
  46: stop, // STOP
  40: (m) => m.push(mark), // MARK
  78: (m) => m.push(null), // NONE
  136: (m) => m.push(true), // NEWTRUE
  137: (m) => m.push(false), // NEWFALSE
  74: (m) => m.push(m.i32()), // BININT
  75: (m) => m.push(m.u8()), // BININT1
  77: (m) => m.push(m.u16()), // BININT2
  138: (m) => m.push(m.long(m.u8())), // LONG1
  71: (m) => m.push(m.f64()), // BINFLOAT
  88: (m) => m.push(m.text(m.u32())), // BINUNICODE
  140: (m) => m.push(m.text(m.u8())), // SHORT_BINUNICODE
  93: (m) => m.push([]), // EMPTY_LIST
  41: (m) => m.push([]), // EMPTY_TUPLE
  125: (m) => m.push(new Map()), // EMPTY_DICT
  133: (m) => m.push(m.popMany(1)), // TUPLE1
  134: (m) => m.push(m.popMany(2)), // TUPLE2
  135: (m) => m.push(m.popMany(3)), // TUPLE3
  116: (m) => m.push(m.popToMark()), // TUPLE
  97: (m) => appendTo(m, [m.pop()]), // APPEND
  101: (m) => appendTo(m, m.popToMark()), // APPENDS
  115: (m) => setItemsOf(m, m.popMany(2)), // SETITEM
  117: (m) => setItemsOf(m, m.popToMark()), // SETITEMS
  113: (m) => m.remember(m.u8()), // BINPUT
  114: (m) => m.remember(m.u32()), // LONG_BINPUT
  148: (m) => m.remember(m.memo.size), // MEMOIZE
  104: (m) => m.recall(m.u8()), // BINGET
  106: (m) => m.recall(m.u32()), // LONG_BINGET
  99: (m) => m.push(m.global(`${m.line()}.${m.line()}`)), // GLOBAL
  147: (m) => m.push(m.global(m.globalName())), // STACK_GLOBAL
  81: (m) => m.push(m.options.persistent(m.pop())), // BINPERSID
  82: (m) => m.push(reduce(m)), // REDUCE
  98: build, // BUILD
};

/** Names of refused instructions, for the error. */
const refusedInstructions: Readonly<Record<number, string>> = {
  105: "INST, code",
  111: "OBJ, code",
  129: "NEWOBJ, code",
  146: "NEWOBJ_EX, code",
  130: "EXT1, code",
  131: "EXT2, code",
  132: "EXT4, code",
  80: "PERSID",
  139: "LONG4",
  141: "BINUNICODE8",
  66: "BINBYTES",
  67: "SHORT_BINBYTES",
  150: "BYTEARRAY8",
};

function appendTo(machine: Machine, values: readonly unknown[]): void {
  machine.append(machine.top(), values);
}

function setItemsOf(machine: Machine, keysAndValues: readonly unknown[]): void {
  machine.setItems(machine.top(), keysAndValues);
}

function reduce(machine: Machine): unknown {
  const [callee, parameters] = machine.popMany(2);
  return machine.call(callee, parameters);
}

/** Ignores the attributes of a dictionary: a state_dict has `_metadata`, the versions of its modules. */
function build(machine: Machine): void {
  const [target, attributes] = machine.popMany(2);
  if (!(target instanceof Map) || !(attributes instanceof Map)) {
    throw machine.refusal(`sets attributes of ${describe(target)}, expected a dictionary`);
  }
  machine.push(target);
}

/** A value for an error message. */
export function describe(value: unknown): string {
  if (value instanceof Global) return `"${value.name}"`;
  if (value instanceof Map) return "a dictionary";
  if (Array.isArray(value)) return "a list or tuple";
  if (value === null || typeof value !== "object") return shortened(JSON.stringify(value) ?? String(value), 40);
  return `a ${value.constructor.name.toLowerCase()}`;
}
