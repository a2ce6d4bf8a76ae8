// The step of torch_step.py in jax-js, on its WebAssembly backend, with one jit-compiled function per step.
//
// jax-js counts references: a function consumes its arguments, and `.ref` adds a reference for another use. Inside a compiled
// function arrays are only traced, so every use takes a `.ref` and none is released.
import { availableParallelism } from "node:os";
import type { numpy } from "@jax-js/jax";
import { readCase } from "../shared/case.ts";
import { fullLength, type StepConfig } from "../shared/config.ts";
import { runStepProgram, type StepOptions, type StepRunner } from "../shared/program.ts";
import { installWebWorkers } from "./web-worker.ts";
import { oneHot, optimizer, type PeerWeight, peerWeights, rotaryTables, weightSum } from "./weights.ts";

type Array_ = numpy.Array;
type Weights = { [name: string]: Array_ };
type Latents = [y: Array_, z: Array_];

/**
 * The fast products of jax-js require row lengths that are multiples of four. For an MLP over the sequence, the sequence is padded with
 * zeros that have zero weights: they stay zero, and all other numbers are unchanged. Without the padding, a step of sudoku9 takes
 * five times as long.
 */
const paddedLength = (c: StepConfig): number => (c.mlp_t ? 4 * Math.ceil(fullLength(c) / 4) : fullLength(c));

function paddedWeight(name: string, weight: PeerWeight, length: number): PeerWeight {
  const [from, to] = weight.shape as [number, number];
  if (!name.includes(".mixer.")) return weight;
  const [rows, columns] = name.endsWith(".down") ? [from, length] : [length, to];
  const data = new Float32Array(rows * columns);
  for (let row = 0; row < from; row++) data.set(weight.data.subarray(row * to, (row + 1) * to), row * columns);
  return { shape: [rows, columns], data };
}

async function start(options: StepOptions): Promise<StepRunner> {
  if (!options.case) throw new Error("expected --case FOLDER");
  const threads = options.threads || availableParallelism();
  const endWorkers = threads > 1 ? installWebWorkers(threads) : () => {}; // must precede the import of the engine
  const jax = await import("@jax-js/jax");
  const { numpy: np, nn, jit, valueAndGrad, lax } = jax;
  await jax.init("wasm");
  jax.defaultDevice("wasm");

  const start = readCase(options.case);
  const { config: c } = start;
  const [B, L, D, V] = [c.batch_size, paddedLength(c), c.hidden_size, c.vocab_size];
  const [heads, headSize] = [c.num_heads, D / c.num_heads];
  const arrayOf = (data: Float32Array, shape: readonly number[]): Array_ => np.array(data).reshape([...shape]);

  const params = weightSum(peerWeights(start));
  const initial = new Map([...peerWeights(start)].map(([name, weight]) => [name, paddedWeight(name, weight, L)]));
  let weights: Weights = Object.fromEntries(
    [...initial].map(([name, { shape, data }]) => [name, arrayOf(data, shape)]),
  );
  const zeros = (): Weights => Object.fromEntries([...initial].map(([name, { shape }]) => [name, np.zeros(shape)]));
  let [m, v] = [zeros(), zeros()];
  let latents = [start.y, start.z].map(({ shape, data }) =>
    np.pad(arrayOf(data as Float32Array, shape), [
      [0, 0],
      [0, L - shape[1]!],
      [0, 0],
    ]),
  ) as Latents;
  const inputs = arrayOf(oneHot(start.inputs.data, V), [B, c.seq_len, V]);
  const labels = arrayOf(Float32Array.from(start.labels.data), [B, c.seq_len]);
  const isLabel = arrayOf(oneHot(start.labels.data, V), [B, c.seq_len, V]);
  const rotary = c.pos_encodings === "rope" ? rotaryTables(L, headSize) : null;
  const cos = rotary && arrayOf(rotary.cos, [L, headSize]);
  const sin = rotary && arrayOf(rotary.sin, [L, headSize]);

  const linear = (x: Array_, w: Array_): Array_ => np.matmul(x.ref, w.ref);
  /** @param count  length of the last axis without padding */
  const norm = (h: Array_, count = D): Array_ =>
    h.ref.div(np.sqrt(np.square(h.ref).sum(-1, { keepdims: true }).div(count).add(1e-5)));

  const swiglu = (w: Weights, h: Array_, name: string): Array_ =>
    linear(nn.silu(linear(h, w[`${name}.gate`]!)).mul(linear(h, w[`${name}.up`]!)), w[`${name}.down`]!);

  const turned = (t: Array_): Array_ => {
    if (!cos || !sin) return t;
    const [first, second] = np.split(t.ref, 2, -1) as [Array_, Array_];
    return t.ref.mul(cos.ref).add(np.concatenate([second.neg(), first], -1).mul(sin.ref));
  };

  const attention = (w: Weights, h: Array_, name: string): Array_ => {
    const part = (which: string): Array_ =>
      linear(h, w[`${name}.${which}`]!).reshape([B, L, heads, headSize]).transpose([0, 2, 1, 3]); // [B, heads, L, headSize]
    const [q, k, value] = [turned(part("query")), turned(part("key")), part("value")];
    const scores = np.matmul(q, k.transpose([0, 1, 3, 2])).mul(headSize ** -0.5);
    const mixed = np.matmul(nn.softmax(scores, -1), value);
    return linear(mixed.transpose([0, 2, 1, 3]).reshape([B, L, D]), w[`${name}.out`]!);
  };

  const block = (w: Weights, h: Array_, i: number): Array_ => {
    if (c.mlp_t) {
      const t = h.transpose([0, 2, 1]);
      h = norm(t.ref.add(swiglu(w, t, `blocks.${i}.mixer`)), c.puzzle_emb_len + c.seq_len).transpose([0, 2, 1]);
    } else h = norm(h.ref.add(attention(w, h, `blocks.${i}.attention`)));
    return norm(h.ref.add(swiglu(w, h, `blocks.${i}.mlp`)));
  };

  const net = (w: Weights, h: Array_): Array_ => {
    for (let i = 0; i < c.L_layers; i++) h = block(w, h, i);
    return h;
  };

  const cycle = (w: Weights, x: Array_, [y, z]: Latents): Latents => {
    for (let i = 0; i < c.L_cycles; i++) z = net(w, z.ref.add(y.ref.add(x.ref)));
    return [net(w, y.ref.add(z.ref)), z];
  };

  const embedded = (w: Weights): Array_ => {
    const tokens = linear(inputs, w.tokens!).mul(Math.sqrt(D));
    const [before, after] = [c.puzzle_emb_len, L - fullLength(c)];
    return before + after > 0
      ? np.pad(tokens, [
          [0, 0],
          [before, after],
          [0, 0],
        ])
      : tokens;
  };

  const offTape = (w: Weights, state: Latents): Latents => {
    for (let i = 0; i < c.H_cycles - 1; i++) state = cycle(w, embedded(w), state);
    return state;
  };

  const headsOf = (w: Weights, y: Array_): { logits: Array_; q: Array_ } => ({
    logits: linear(y.ref.slice([], [c.puzzle_emb_len, fullLength(c)], []), w.output_head!),
    q: linear(y.ref.slice([], 0, []), w.q_weight!).add(w.q_bias!.ref),
  });

  /** Mean over the batch, in float32: jax-js has float64, but cannot differentiate a conversion to it. */
  const lossOf = (logits: Array_, q: Array_): Array_ => {
    const s = nn.relu(logits.ref).add(np.reciprocal(nn.relu(logits.ref.neg()).add(1))); // stablemax's score
    const ce = np.log(s.ref.mul(isLabel.ref).sum(-1).div(s.sum(-1))).neg(); // [B, L]
    const best = lax.stopGradient(np.argmax(lax.stopGradient(logits.ref), -1).astype(np.float32));
    const right = best.equal(labels.ref).all(-1).astype(np.float32); // [B]
    const halt = q.ref.slice([], 0); // [B]
    const bce = nn.softplus(halt.ref).sub(halt.mul(right));
    return ce
      .mean(-1)
      .sum()
      .add(bce.sum().mul(0.5))
      .mul(1 / B);
  };

  /** The updated weight and moments. c1 and c2 are the bias corrections of Adam. */
  const updated = (
    { p, m, v, g }: Record<"p" | "m" | "v" | "g", Array_>,
    { c1, c2 }: Record<"c1" | "c2", Array_>,
  ): [Array_, Array_, Array_] => {
    const { learningRate, beta1, beta2, decay } = optimizer;
    const nextM = m.ref.mul(beta1).add(g.ref.mul(1 - beta1));
    const nextV = v.ref.mul(beta2).add(np.square(g.ref).mul(1 - beta2));
    // arctan2(0, 0) of jax-js is NaN instead of 0. The added constant prevents this and is too small to change other quotients.
    const turn = np.arctan2(nextM.ref, np.sqrt(nextV.ref).div(c2.ref).add(1e-30));
    return [p.ref.mul(1 - learningRate * decay).sub(turn.mul(learningRate).div(c1.ref)), nextM, nextV];
  };

  const trainStep = jit((w: Weights, m: Weights, v: Weights, state: Latents, c1: Array_, c2: Array_) => {
    const before = offTape(w, state);
    const [[loss, next], gradients] = valueAndGrad(
      (w: Weights): [Array_, Latents] => {
        const next = cycle(w, embedded(w), before);
        const { logits, q } = headsOf(w, next[0]);
        return [lossOf(logits, q), next.map((t) => lax.stopGradient(t.ref)) as Latents];
      },
      { hasAux: true },
    )(jax.tree.ref(w)) as unknown as [[Array_, Latents], Weights];
    const after = Object.keys(w).map((name) =>
      updated({ p: w[name]!, m: m[name]!, v: v[name]!, g: gradients[name]! }, { c1, c2 }),
    );
    const pick = (i: 0 | 1 | 2): Weights => Object.fromEntries(Object.keys(w).map((name, j) => [name, after[j]![i]]));
    return { weights: pick(0), m: pick(1), v: pick(2), next, loss };
  });

  const evaluateStep = jit((w: Weights, state: Latents) => {
    const next = cycle(w, embedded(w), offTape(w, state));
    return { next, ...headsOf(w, next[0]) };
  });

  let steps = 0;
  return {
    peer: `jax-js 0.1.25 ${jax.defaultDevice()}`,
    params,
    threads,

    async train() {
      steps++;
      const [c1, c2] = [1 - optimizer.beta1 ** steps, Math.sqrt(1 - optimizer.beta2 ** steps)];
      const result = trainStep(weights, m, v, latents, np.array(c1), np.array(c2));
      ({ weights, m, v, next: latents } = result);
      const [loss] = await result.loss.data();
      await jax.blockUntilReady([weights, m, v, latents]);
      return loss!;
    },

    async evaluate() {
      const { next, logits, q } = evaluateStep(jax.tree.ref(weights), latents);
      latents = next;
      await Promise.all([logits.data(), q.data()]);
      await jax.blockUntilReady(latents);
    },

    dispose: endWorkers,
  };
}

await runStepProgram(start);
