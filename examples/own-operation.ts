// An operation of your own, and the property that its gradient is correct. Run: npx tsx examples/own-operation.ts
import fc from "fast-check";
import { defineOperation, domains, gradients, parameter, sum } from "trm-ts/autograd";
import * as t from "trm-ts/tensor";
import { checkOperation, operationExamples } from "trm-ts/testing";

/** mish(x) = x · tanh(softplus(x)), a smooth activation function. Misra 2019. */
const mish = defineOperation({
  name: "mish",
  equation: "y = x · g with g = tanh(softplus(x)),  dx = dy · (g + x · (1 - g²) · σ(x))",
  domain: domains.oneReal([-3, 3]), // the inputs that the property draws
  shape: ([x]) => x,
  forward: ([x]) => t.scope(() => t.multiply(x, t.tanh(t.softplus(x)))),
  backward: (dy, { inputs: [x] }) => [
    t.scope(() => {
      const g = t.tanh(t.softplus(x));
      const slope = t.multiply(t.affine(t.square(g), -1, 1), t.sigmoid(x)); // (1 - g²) · σ(x)
      return t.multiply(dy, t.add(g, t.multiply(x, slope)));
    }),
  ],
});

const x = parameter([-2, 0, 1]);
const y = mish(x);
const [dx] = gradients(sum(y), [x]);
const rounded = async (tensor: t.Tensor): Promise<string> =>
  Array.from(await tensor.data(), (value) => value.toFixed(4)).join(", ");
console.log(`y  = ${await rounded(y.value)}`);
console.log(`dx = ${await rounded(dx!)}`);

// fast-check draws shapes and numbers from the domain. Each example compares the backward rule with difference quotients in float64.
fc.assert(fc.property(operationExamples(mish), (example) => checkOperation(mish, example)));
console.log("the gradient of mish agrees with difference quotients");
