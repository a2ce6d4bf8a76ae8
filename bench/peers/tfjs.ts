// The step of torch_step.py in TensorFlow.js, on its wasm or cpu backend, in float32 throughout (it has no float64). Its fast matrix
// product accepts only single matrices that are not transposed, and falls back to a plain loop otherwise. This step uses the
// fast product where possible.
import { availableParallelism } from "node:os";
import * as tf from "@tensorflow/tfjs";
import { readCase } from "../shared/case.ts";
import { fullLength } from "../shared/config.ts";
import { runStepProgram, type StepOptions, type StepRunner } from "../shared/program.ts";
import { allowThreads } from "./tfjs-threads.ts";
import { oneHot, optimizer, peerWeights, rotaryTables, weightSum } from "./weights.ts";

/** The product of x [M, K] and w [K, N]. Its gradient transposes explicitly, so that it uses the fast product. */
const product = tf.customGrad((x, w, save) => {
  const [a, b] = [x as tf.Tensor, w as tf.Tensor];
  (save as tf.GradSaveFunc)([a, b]);
  return {
    value: tf.matMul(a, b),
    gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => [
      tf.matMul(dy, tf.transpose(saved[1]!)),
      tf.matMul(tf.transpose(saved[0]!), dy),
    ],
  };
});

/** The product of x [.., K] and w [K, N]. */
const linear = (x: tf.Tensor, w: tf.Tensor): tf.Tensor =>
  tf.reshape(product(tf.reshape(x, [-1, x.shape.at(-1)!]), w), [...x.shape.slice(0, -1), w.shape[1]!]);

const norm = (h: tf.Tensor): tf.Tensor => tf.mul(h, tf.rsqrt(tf.add(tf.mean(tf.square(h), -1, true), 1e-5)));

const silu = (x: tf.Tensor): tf.Tensor => tf.mul(x, tf.sigmoid(x));

async function start(options: StepOptions): Promise<StepRunner> {
  if (!options.case) throw new Error("expected --case FOLDER");
  const start = readCase(options.case);
  const { config: c } = start;
  const { threads, end } = await startBackend(options.backend ?? "wasm", options.threads);
  const [B, L, D, V] = [c.batch_size, fullLength(c), c.hidden_size, c.vocab_size];
  const [heads, headSize] = [c.num_heads, D / c.num_heads];

  const weights = peerWeights(start);
  const variables = new Map(
    [...weights].map(([name, { shape, data }]) => [name, tf.variable(tf.tensor(data, shape), true, name)]),
  );
  const weight = (name: string): tf.Variable => variables.get(name)!;
  const moments = new Map(
    [...variables].map(([name, v]) => [name, [0, 0].map(() => tf.variable(tf.zerosLike(v), false))]),
  );

  const inputs = tf.tensor2d(oneHot(start.inputs.data, V), [B * c.seq_len, V]);
  const labels = tf.tensor2d(start.labels.data as Int32Array, [B, c.seq_len], "int32");
  const isLabel = tf.tensor3d(oneHot(start.labels.data, V), [B, c.seq_len, V]);
  let state = [start.y, start.z].map(({ shape, data }) => tf.tensor(data, [...shape])) as [tf.Tensor, tf.Tensor];
  const rotary = c.pos_encodings === "rope" ? rotaryTables(L, headSize) : null;
  const cos = rotary && tf.tensor(rotary.cos, [L, headSize]);
  const sin = rotary && tf.tensor(rotary.sin, [L, headSize]);

  const swiglu = (h: tf.Tensor, name: string): tf.Tensor =>
    linear(tf.mul(silu(linear(h, weight(`${name}.gate`))), linear(h, weight(`${name}.up`))), weight(`${name}.down`));

  /** t [B, heads, L, headSize] */
  const turned = (t: tf.Tensor): tf.Tensor => {
    if (!cos || !sin) return t;
    const [first, second] = tf.split(t, 2, -1) as [tf.Tensor, tf.Tensor];
    return tf.add(tf.mul(t, cos), tf.mul(tf.concat([tf.neg(second), first], -1), sin));
  };

  // The batched products use the plain loop, but one fast product per head takes twice as long.
  const attention = (h: tf.Tensor, name: string): tf.Tensor => {
    const part = (which: string): tf.Tensor =>
      tf.transpose(tf.reshape(linear(h, weight(`${name}.${which}`)), [B, L, heads, headSize]), [0, 2, 1, 3]);
    const [q, k, v] = [turned(part("query")), turned(part("key")), part("value")];
    const scores = tf.mul(tf.matMul(q, k, false, true), headSize ** -0.5);
    const mixed = tf.matMul(tf.softmax(scores), v);
    return linear(tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [B, L, D]), weight(`${name}.out`));
  };

  const block = (h: tf.Tensor, i: number): tf.Tensor => {
    if (c.mlp_t) {
      const t = tf.transpose(h, [0, 2, 1]);
      h = tf.transpose(norm(tf.add(t, swiglu(t, `blocks.${i}.mixer`))), [0, 2, 1]);
    } else h = norm(tf.add(h, attention(h, `blocks.${i}.attention`)));
    return norm(tf.add(h, swiglu(h, `blocks.${i}.mlp`)));
  };

  const net = (h: tf.Tensor): tf.Tensor => {
    for (let i = 0; i < c.L_layers; i++) h = block(h, i);
    return h;
  };

  /** Intermediate results are released immediately, unless the tape needs them. */
  const cycle = (x: tf.Tensor, [y, z]: [tf.Tensor, tf.Tensor]): [tf.Tensor, tf.Tensor] =>
    tf.tidy(() => {
      for (let i = 0; i < c.L_cycles; i++) z = tf.tidy(() => net(tf.add(z, tf.add(y, x))));
      return [net(tf.add(y, z)), z];
    });

  const embedded = (): tf.Tensor => {
    const tokens = tf.reshape(tf.mul(linear(inputs, weight("tokens")), Math.sqrt(D)), [B, c.seq_len, D]);
    return c.puzzle_emb_len > 0
      ? tf.pad(tokens, [
          [0, 0],
          [c.puzzle_emb_len, 0],
          [0, 0],
        ])
      : tokens;
  };

  const offTape = (): [tf.Tensor, tf.Tensor] =>
    tf.tidy(() => {
      const x = embedded();
      let latents = state;
      for (let i = 0; i < c.H_cycles - 1; i++) latents = cycle(x, latents);
      return latents === state ? (state.map((t) => tf.clone(t)) as typeof state) : latents;
    });

  const headsOf = (y: tf.Tensor): { logits: tf.Tensor; q: tf.Tensor } => ({
    logits: linear(tf.slice(y, [0, c.puzzle_emb_len, 0], [B, c.seq_len, D]), weight("output_head")),
    q: tf.add(linear(tf.reshape(tf.slice(y, [0, 0, 0], [B, 1, D]), [B, D]), weight("q_weight")), weight("q_bias")),
  });

  /** [B]: 1 if every cell is correct, else 0. The explicit zero gradient makes it a constant. */
  const isRight = tf.customGrad((logits) => ({
    value: tf.cast(tf.all(tf.equal(tf.argMax(logits as tf.Tensor, -1), labels), -1), "float32"),
    gradFunc: () => [tf.zerosLike(logits as tf.Tensor)],
  }));

  /** Mean over the batch. */
  const lossOf = (logits: tf.Tensor, q: tf.Tensor): tf.Scalar => {
    const s = tf.add(tf.relu(logits), tf.reciprocal(tf.add(tf.relu(tf.neg(logits)), 1))); // stablemax's score
    const ce = tf.neg(tf.log(tf.div(tf.sum(tf.mul(s, isLabel), -1), tf.sum(s, -1)))); // [B, L]
    const right = isRight(logits);
    const halt = tf.reshape(tf.slice(q, [0, 0], [B, 1]), [B]);
    const bce = tf.sub(tf.softplus(halt), tf.mul(halt, right));
    return tf.mul(tf.add(tf.sum(tf.mean(ce, -1)), tf.mul(tf.sum(bce), 0.5)), 1 / B);
  };

  let steps = 0;
  const update = (gradients: tf.NamedTensorMap): void => {
    steps++;
    const { learningRate, beta1, beta2, decay } = optimizer;
    const [c1, c2] = [1 - beta1 ** steps, Math.sqrt(1 - beta2 ** steps)];
    for (const [name, p] of variables) {
      tf.tidy(() => {
        const [m, v] = moments.get(name) as [tf.Variable, tf.Variable];
        const g = gradients[name]!;
        m.assign(tf.add(tf.mul(m, beta1), tf.mul(g, 1 - beta1)));
        v.assign(tf.add(tf.mul(v, beta2), tf.mul(tf.square(g), 1 - beta2)));
        const turn = tf.atan2(m, tf.mul(tf.sqrt(v), 1 / c2));
        p.assign(tf.sub(tf.mul(p, 1 - learningRate * decay), tf.mul(turn, learningRate / c1)));
      });
    }
  };

  const carry = (next: [tf.Tensor, tf.Tensor]): void => {
    tf.dispose(state);
    state = next;
  };

  return {
    peer: `tfjs ${tf.version_core} ${tf.getBackend()}`,
    params: weightSum(weights),
    threads,

    async train() {
      const loss = tf.tidy(() => {
        const latents = offTape();
        let next = latents;
        const { value, grads } = tf.variableGrads(() => {
          const [y, z] = cycle(embedded(), latents);
          next = [tf.keep(tf.clone(y)), tf.keep(tf.clone(z))];
          const { logits, q } = headsOf(y);
          return lossOf(logits, q);
        }, [...variables.values()]);
        update(grads);
        carry(next);
        return value;
      });
      const [number] = await loss.data();
      loss.dispose();
      return number!;
    },

    async evaluate() {
      const results = tf.tidy(() => {
        const next = cycle(embedded(), offTape());
        const { logits, q } = headsOf(next[0]);
        carry([tf.keep(next[0]), tf.keep(next[1])]);
        return [logits, q];
      });
      await Promise.all(results.map((result) => result.data()));
      tf.dispose(results);
    },

    dispose: end,
  };
}

interface Started {
  readonly threads: number;
  readonly end: () => void;
}

/** @param threads  0 for all processors */
async function startBackend(name: string, threads: number): Promise<Started> {
  const select = async (): Promise<void> => {
    if (!(await tf.setBackend(name))) throw new Error(`tfjs: the ${name} backend does not start here`);
  };
  if (name === "cpu") {
    await select();
    return { threads: 1, end: () => {} };
  }
  if (name !== "wasm") throw new Error(`--backend: got "${name}", expected wasm or cpu`);
  const requested = threads || availableParallelism();
  const end = requested > 1 ? allowThreads(requested) : () => {};
  const { getThreadsCount, setThreadsCount } = await import("@tensorflow/tfjs-backend-wasm");
  if (requested > 1) {
    tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", true);
    setThreadsCount(requested);
  }
  await select();
  return { threads: requested > 1 ? getThreadsCount() : 1, end };
}

await runStepProgram(start);
