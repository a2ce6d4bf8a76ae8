// The step of torch_step.py in js-pytorch, which uses nested arrays, plain loops and one thread. Its broadcasting matches axes by equal
// lengths, so this file avoids it and uses only matrices. It supports the MLP over the sequence without slots, which would need a
// concatenation, which js-pytorch lacks. Larger configurations would take minutes per step.
import { torch } from "js-pytorch";
import { readCase } from "../shared/case.ts";
import { runStepProgram, type StepOptions, type StepRunner } from "../shared/program.ts";
import { oneHot, optimizer, peerWeights, weightSum } from "./weights.ts";

type Tensor = InstanceType<typeof torch.Tensor>;
type Matrix = number[][];

function matrix(data: ArrayLike<number>, rows: number, columns: number): Matrix {
  return Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => data[i * columns + j]!));
}

const norm = (h: Tensor): Tensor =>
  h.div(
    h
      .mul(h)
      .sum(-1, true)
      .mul(1 / h.shape[1])
      .add(1e-5)
      .sqrt(),
  ); // sum(.., true) broadcasts the sum along the row
const sigmoid = (x: Tensor): Tensor => torch.div(1 as unknown as Tensor, x.neg().exp().add(1));
const relu = (x: Tensor): Tensor => x.masked_fill(x, (value) => value < 0, 0);

async function start(options: StepOptions): Promise<StepRunner> {
  if (!options.case) throw new Error("expected --case FOLDER");
  const start = readCase(options.case);
  const { config: c } = start;
  if (!c.mlp_t || c.puzzle_emb_len > 0) throw new Error("js-pytorch: expected mlp_t and no puzzle_emb_len");
  const [B, L, D, V] = [c.batch_size, c.seq_len, c.hidden_size, c.vocab_size];
  const rows = Array.from({ length: B * L }, (_, i) => i);

  const initial = peerWeights(start);
  const weights = new Map(
    [...initial].map(([name, { shape, data }]) => {
      const [first, second] = shape.length === 2 ? shape : [1, shape[0]!];
      return [name, torch.tensor(matrix(data, first!, second!), true)];
    }),
  );
  const weight = (name: string): Tensor => weights.get(name)!;
  const moments = new Map(
    [...weights].map(([name, { shape }]) => [name, [0, 0].map(() => torch.zeros(shape).data as Matrix)]),
  );
  const tokens = [...start.inputs.data];
  const labels = [...start.labels.data];
  const isLabel = torch.tensor(matrix(oneHot(labels, V), B * L, V));
  const ones = torch.ones([B, 1]);
  let state = [start.y, start.z].map(({ data }) => torch.tensor(matrix(data, B * L, D))) as [Tensor, Tensor];

  /** Transposes [B · L, D] to [B · D, L] and back. */
  const turned = (h: Tensor, inner: number, outer: number): Tensor =>
    h
      .reshape([B, inner, outer])
      .transpose(1, 2)
      .reshape([B * outer, inner]);

  const swiglu = (h: Tensor, name: string): Tensor => {
    const gate = h.matmul(weight(`${name}.gate`));
    return gate
      .mul(sigmoid(gate))
      .mul(h.matmul(weight(`${name}.up`)))
      .matmul(weight(`${name}.down`));
  };

  const net = (h: Tensor): Tensor => {
    for (let i = 0; i < c.L_layers; i++) {
      const t = turned(h, L, D);
      h = turned(norm(t.add(swiglu(t, `blocks.${i}.mixer`))), D, L);
      h = norm(h.add(swiglu(h, `blocks.${i}.mlp`)));
    }
    return h;
  };

  const cycle = (x: Tensor, [y, z]: [Tensor, Tensor]): [Tensor, Tensor] => {
    for (let i = 0; i < c.L_cycles; i++) z = net(z.add(y.add(x)));
    return [net(y.add(z)), z];
  };

  const detached = ([y, z]: [Tensor, Tensor]): [Tensor, Tensor] => [torch.tensor(y.data), torch.tensor(z.data)];

  const embedded = (): Tensor => weight("tokens").at(tokens).mul(Math.sqrt(D));

  const withoutTape = <T>(body: () => T): T => {
    for (const w of weights.values()) w.requires_grad = false;
    try {
      return body();
    } finally {
      for (const w of weights.values()) w.requires_grad = true;
    }
  };

  const offTape = (): [Tensor, Tensor] =>
    withoutTape(() => {
      const x = embedded();
      let latents = state;
      for (let i = 0; i < c.H_cycles - 1; i++) latents = detached(cycle(x, latents));
      return latents;
    });

  const headsOf = (y: Tensor): { logits: Tensor; q: Tensor } => {
    const first = y.at(Array.from({ length: B }, (_, i) => i * L));
    return {
      logits: y.matmul(weight("output_head")),
      q: first.matmul(weight("q_weight")).add(ones.matmul(weight("q_bias"))),
    };
  };

  /** [B]: 1 if every cell is correct, else 0. */
  const isRight = (logits: Matrix): number[] => {
    const right = rows.map((row) => logits[row]!.indexOf(Math.max(...logits[row]!)) === labels[row]);
    return Array.from({ length: B }, (_, i) => Number(right.slice(i * L, (i + 1) * L).every(Boolean)));
  };

  /** Mean over the batch. */
  const lossOf = (logits: Tensor, q: Tensor): Tensor => {
    const s = relu(logits).add(torch.div(1 as unknown as Tensor, relu(logits.neg()).add(1))); // stablemax's score
    const ce = s
      .mul(isLabel)
      .sum(-1)
      .div(s.sum(-1))
      .log()
      .neg()
      .sum(0)
      .mul(1 / L);
    const batch = Array.from({ length: B }, (_, i) => i);
    const halt = q.at(
      batch,
      batch.map(() => 0),
    );
    const bce = halt
      .exp()
      .add(1)
      .log()
      .sub(halt.mul(torch.tensor(isRight(logits.data as Matrix))))
      .sum(0);
    return ce.add(bce.mul(0.5)).mul(1 / B);
  };

  let steps = 0;
  const update = (): void => {
    steps++;
    const { learningRate, beta1, beta2, decay } = optimizer;
    const [c1, c2] = [1 - beta1 ** steps, Math.sqrt(1 - beta2 ** steps)];
    for (const [name, w] of weights) {
      const [p, g] = [w.data as Matrix, w.grad as Matrix];
      const [m, v] = moments.get(name) as [Matrix, Matrix];
      p.forEach((row, i) => {
        for (let j = 0; j < row.length; j++) {
          const gradient = g[i]![j]!;
          m[i]![j] = beta1 * m[i]![j]! + (1 - beta1) * gradient;
          v[i]![j] = beta2 * v[i]![j]! + (1 - beta2) * gradient * gradient;
          const turn = Math.atan2(m[i]![j]!, Math.sqrt(v[i]![j]!) / c2);
          row[j] = row[j]! * (1 - learningRate * decay) - (learningRate / c1) * turn;
        }
      });
      w.zero_grad();
    }
  };

  return {
    peer: "js-pytorch 0.7.2",
    params: weightSum(initial),
    threads: 1,

    async train() {
      const latents = offTape();
      const next = cycle(embedded(), latents);
      const { logits, q } = headsOf(next[0]);
      const loss = lossOf(logits, q);
      loss.backward();
      update();
      state = detached(next);
      return loss.data[0] as number;
    },

    async evaluate() {
      const latents = offTape();
      withoutTape(() => {
        const next = cycle(embedded(), latents);
        headsOf(next[0]);
        state = detached(next);
      });
    },
  };
}

await runStepProgram(start);
