// The tiny network: post-norm blocks that mix first over the sequence, then over the features. Paper section 4.

import { add, addRmsNorm, swigluBlock, type Variable } from "../autograd/index.ts";
import { Attention, Module, type RotaryTables, Swiglu } from "../nn/index.ts";
import { type Random, scope } from "../tensor/index.ts";
import { fullLength, type ModelConfig } from "./config.ts";

/** h [B, L, D] -> [B, L, D] */
export class Block extends Module {
  /** Exactly one of the two mixers. */
  readonly sequenceMlp: Swiglu | null = null;
  readonly attention: Attention | null = null;
  readonly mlp: Swiglu;

  constructor(config: ModelConfig, random: Random) {
    super();
    const { hiddenSize, expansion, widthMultiple, heads, mixer } = config;
    if (mixer === "mlp") this.sequenceMlp = new Swiglu(fullLength(config), expansion, widthMultiple, random);
    else this.attention = new Attention(hiddenSize, heads, random);
    this.mlp = new Swiglu(hiddenSize, expansion, widthMultiple, random);
  }

  apply(h: Variable, rotary?: RotaryTables): Variable {
    // Over the sequence, for every feature: t = transpose(h); t = rmsNorm(t + swiglu(t)); h = transpose(t). Axis -2 says the
    // same without transposing.
    if (this.sequenceMlp) h = swigluBlock(h, this.sequenceMlp, -2);
    else h = addRmsNorm(h, this.attention!.apply(h, rotary));
    return swigluBlock(h, this.mlp);
  }
}

export class Network extends Module {
  readonly blocks: readonly Block[];

  constructor(config: ModelConfig, random: Random, layers = config.layers) {
    super();
    this.blocks = Array.from({ length: layers }, () => new Block(config, random));
  }

  /** The blocks over the sum of the terms. All [B, L, D]. What is not on the tape is given back at once. */
  apply(terms: readonly Variable[], rotary?: RotaryTables): Variable {
    return scope(() => {
      let h = terms.reduce((sum, term) => add(sum, term));
      for (const block of this.blocks) h = block.apply(h, rotary);
      return h;
    });
  }
}
