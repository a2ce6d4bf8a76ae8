// The tiny network: post-norm blocks that mix first over the sequence, then over the features. Paper section 4.
import { add, addRmsNorm, swigluBlock, type Variable } from "../autograd/index.ts";
import { Attention, Module, type RotaryTables, Swiglu } from "../nn/index.ts";
import { type Random, scope } from "../tensor/index.ts";
import { fullLength, type ModelConfig } from "./config.ts";
import type { Network } from "./recursion.ts";

/** h [B, L, D] -> [B, L, D] */
export class Block extends Module {
  /** Exactly one of the two mixers over the sequence is set. */
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

  forward(h: Variable, rotary: RotaryTables | null): Variable {
    // The MLP over the sequence is t = transpose(h); t = rmsNorm(t + swiglu(t)); h = transpose(t). Axis -2 computes the same
    // without transposing.
    if (this.sequenceMlp) h = swigluBlock(h, this.sequenceMlp, -2);
    else h = addRmsNorm(h, this.attention!.forward(h, rotary ?? undefined));
    return swigluBlock(h, this.mlp);
  }
}

/** A network that is called like a function; its weights are in `blocks`. */
export interface BlockNetwork extends Network {
  readonly blocks: readonly Block[];
}

/** A network of `layers` blocks. Rotary tables are needed for rotary positions only. */
export function createNetwork(
  config: ModelConfig,
  random: Random,
  options: { readonly layers: number; readonly rotary: RotaryTables | null },
): BlockNetwork {
  const blocks = Array.from({ length: options.layers }, () => new Block(config, random));
  // The scope releases the intermediate results that are not on the tape.
  const net: Network = (...terms) =>
    scope(() => {
      let h = terms.reduce((sum, term) => add(sum, term));
      for (const block of blocks) h = block.forward(h, options.rotary);
      return h;
    });
  return Object.assign(net, { blocks });
}
