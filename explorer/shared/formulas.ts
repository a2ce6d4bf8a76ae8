// The formulas that the page shows, in TeX. They become MathML when the page is built.
export const formulas = {
  zUpdate: String.raw`z \leftarrow \mathrm{net}(x + y + z)`,
  yUpdate: String.raw`y \leftarrow \mathrm{net}(y + z)`,
  numeric: String.raw`\frac{L(w + h) - L(w - h)}{2h}`,
  analytic: String.raw`\frac{\partial L}{\partial w}`,
} as const;
