// The kernels of the WebAssembly module and the fields of their parameters.
//
// The order of the kernels is their number in assembly/kernels.ts. The fields of a kernel are those of its parameter class in
// assembly/, in the order in which they lie in memory, four bytes each, with their AssemblyScript type: usize is an address or a
// number of bytes. tests/tensor/wasm-fields.test.ts compares this table with the AssemblyScript source.
//
// Calls pass object literals that list every field: a literal that spreads another object costs V8 microseconds.

const siluGate = { u: "usize", out: "usize", dy: "usize", half: "i32" } as const;

const residualNorm = {
  h: "usize",
  r: "usize",
  y: "usize",
  inverse: "usize",
  length: "i32",
  width: "i32",
  epsilon: "f32",
} as const;

const residualNormBackward = {
  ds: "usize",
  y: "usize",
  inverse: "usize",
  dy: "usize",
  length: "i32",
  width: "i32",
} as const;

const attention = {
  qkv: "usize",
  y: "usize",
  dy: "usize",
  dqkv: "usize",
  cos: "usize",
  sin: "usize",
  heads: "i32",
  length: "i32",
  headSize: "i32",
  scale: "f32",
} as const;

const swigluRowsBackward = {
  dy: "usize",
  y: "usize",
  h: "usize",
  u: "usize",
  inverse: "usize",
  downPanels: "usize",
  gatePanels: "usize",
  upPanels: "usize",
  dh: "usize",
  wide: "usize",
  stepWide: "usize",
  hPanels: "usize",
  dsumPanels: "usize",
  rows: "i32",
  width: "i32",
  inner: "i32",
  blockRows: "i32",
  groups: "i32",
  partial: "usize",
} as const;

const swigluSequenceBackward = {
  dy: "usize",
  y: "usize",
  h: "usize",
  u: "usize",
  inverse: "usize",
  gateUpStrips: "usize",
  downStrips: "usize",
  dh: "usize",
  tall: "usize",
  hPanels: "usize",
  dsumPanels: "usize",
  batch: "i32",
  length: "i32",
  width: "i32",
  inner: "i32",
  groups: "i32",
  partial: "usize",
} as const;

export const kernelFields = {
  pack: { source: "usize", panels: "usize", depth: "i32", columns: "i32", transposed: "u32", sourceStep: "usize" },
  strips: { source: "usize", strips: "usize", rows: "i32", depth: "i32", transposed: "u32" },
  matmul: {
    a: "usize",
    stepA: "usize",
    rowMajor: "u32",
    panels: "usize",
    c: "usize",
    transposed: "u32",
    rows: "i32",
    columns: "i32",
    depth: "i32",
    chunk: "i32",
    chunkStep: "usize",
    blockRows: "i32",
    offsets: "usize",
  },
  swigluRows: {
    h: "usize",
    y: "usize",
    gatePanels: "usize",
    upPanels: "usize",
    downPanels: "usize",
    u: "usize",
    inverse: "usize",
    rows: "i32",
    width: "i32",
    inner: "i32",
    blockRows: "i32",
    epsilon: "f32",
  },
  swigluRowsBackward,
  swigluSequence: {
    h: "usize",
    y: "usize",
    gateStrips: "usize",
    upStrips: "usize",
    downStrips: "usize",
    u: "usize",
    inverse: "usize",
    length: "i32",
    width: "i32",
    inner: "i32",
    epsilon: "f32",
  },
  swigluSequenceBackward,
  unary: { out: "usize", x: "usize", length: "i32", operation: "i32", scale: "f32", shift: "f32" },
  binary: { out: "usize", a: "usize", b: "usize", length: "i32", operation: "i32" },
  binaryRows: { out: "usize", a: "usize", b: "usize", length: "i32", width: "i32", operation: "i32" },
  siluGate,
  siluGateBackward: siluGate,
  residualNormRows: residualNorm,
  residualNormRowsBackward: residualNormBackward,
  residualNormColumns: residualNorm,
  residualNormColumnsBackward: residualNormBackward,
  attention,
  attentionBackward: attention,
  adamAtan2: {
    p: "usize",
    m: "usize",
    v: "usize",
    gradient: "usize",
    length: "i32",
    beta1: "f32",
    beta2: "f32",
    rest1: "f32",
    rest2: "f32",
    decay: "f32",
    size: "f32",
    deviationScale: "f32",
  },
  movingAverage: { average: "usize", value: "usize", length: "i32", rate: "f32", rest: "f32" },
  swigluRowsGroups: swigluRowsBackward,
  swigluSequenceGroups: swigluSequenceBackward,
  sumGroups: {
    partial: "usize",
    step: "usize",
    groups: "i32",
    gateUp: "usize",
    down: "usize",
    inner: "i32",
    columns: "i32",
  },
  peak: { depth: "i32", tiles: "i32" },
} as const;

export type KernelName = keyof typeof kernelFields;
export type KernelFields<K extends KernelName> = { readonly [Field in keyof (typeof kernelFields)[K]]: number };
