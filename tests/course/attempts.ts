// Wrong attempts at every lesson, as a learner would type them: a text of the solution and what stands there instead.

export interface Attempt {
  readonly from: string;
  readonly to: string;
  /** What the report must contain. */
  readonly says: string;
}

export const attempts: readonly (readonly Attempt[])[] = [
  [
    { from: "a[a.length - back] ?? 1", to: "a[rank - back] ?? 1", says: "aligned at the left" },
    { from: "p === 1 ? q : p", to: "Math.max(p, q)", says: "larger of the two lengths" },
    { from: "if (own !== 1) source", to: "source", says: "repeated axis moves in the operand" },
  ],
  [
    {
      from: "(gradientOf.get(input) ?? 0) + gradient * node.slopes[i]!",
      to: "gradient * node.slopes[i]!",
      says: "shares add up",
    },
    { from: "slopes: [q.value, p.value]", to: "slopes: [p.value, q.value]", says: "If p grows by 1" },
    {
      from: "const gradientOf = new Map<Node, number>([[output, 1]])",
      to: "const kept = globalThis as { gradientOf?: Map<Node, number> };\n  const gradientOf = (kept.gradientOf ??= new Map()).set(output, 1)",
      says: "exact, also with your own operations",
    },
    { from: "gradientOf.get(node) ?? 0", to: "gradientOf.get(node)!", says: "does not depend on has no number" },
  ],
  [
    { from: "  fc.assert(property, { seed });", to: "  fc.check(property, { seed });", says: "accepts every rule" },
    { from: "1e-5 * (1", to: "1e-13 * (1", says: "Is the tolerance relative" },
    { from: "own * m + shared / x.length", to: "own * m + shared", says: "not divided by the number" },
  ],
  [
    { from: "mean(square(x), [-1], true)", to: "mean(square(x))", says: "over all rows together" },
    { from: "multiply(silu(gate), up)", to: "multiply(gate, silu(up))", says: "second half" },
    { from: "rmsNorm(add(h, swiglu(h, features)))", to: "rmsNorm(swiglu(h, features))", says: "received" },
  ],
  [
    { from: "y = net(y, z)", to: "y = net(x, y, z)", says: "no longer tell its two jobs apart" },
    { from: "i < n;", to: "i <= n;", says: "updated n + 1 times" },
    { from: "z = net(x, y, z)", to: "net(x, y, z)", says: "received" },
  ],
  [
    { from: "i < T - 1", to: "i < T", says: "There are T + 1 cycles" },
    { from: "state = noGrad(() => recur(x, state))", to: "state = recur(x, state)", says: "All cycles are recorded" },
    { from: "z: state.z.detach()", to: "z: state.z", says: "y is detached and z is not" },
  ],
  [
    { from: "z: select(mask, initial.z, state.z)", to: "z: state.z", says: "y is reset and z is not" },
    { from: "affine(total, 1 / B)", to: "total", says: "sum over the batch" },
    {
      from: "adam.update(gradients(loss, model.parameters()), learningRate);",
      to: "gradients(loss, model.parameters());",
      says: "weights do not change",
    },
  ],
  [
    { from: "answer[i] === label);", to: "steps.at(-1)!.answer[i] === label);", says: "judged by the last answer" },
    { from: "q > 0)", to: "q >= 0)", says: "q = 0 halts here" },
    { from: "2 + random.integer(nSup - 1)", to: "1 + random.integer(nSup)", says: "includes 1" },
  ],
  [
    { from: "Math.round(budget", to: "Math.floor(budget", says: "rounded down" },
    { from: "Math.hypot(p1 - l1, u2 - p2)", to: "Math.hypot(u1 - p1, p2 - l2)", says: "first difference" },
    { from: "if (low > 0 && Math.min(...shares(a)) > Math.max(...shares(b)))", to: "if (low > 0)", says: "received" },
  ],
  [
    {
      from: "return { ...latents, z: add(z,",
      to: "return { ...latents, y: add(latents.y!,",
      says: "the answer, and z is undisturbed",
    },
    { from: "rollout.q > best.q", to: "rollout.q >= best.q", says: "Ties go to the first" },
    { from: "Math.max(0, n - c - i) / (n - i)", to: "(n - c) / n", says: "with replacement" },
  ],
];
