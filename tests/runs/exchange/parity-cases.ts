/** The parity cases in the form of the official code: a configuration and weights. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type CaseTensors, readCase, type SystemCase } from "../../parity/case.ts";

export const parityFolder = fileURLToPath(new URL("../../fixtures/parity", import.meta.url));

export const systemFolders: readonly string[] = readdirSync(parityFolder).filter(
  (name) => name !== "ops" && existsSync(join(parityFolder, name, "case.json")),
);

const archNames: Record<string, string> = {
  trm: "recursive_reasoning.trm@TinyRecursiveReasoningModel_ACTV1",
  trm_singlez: "recursive_reasoning.trm_singlez@TinyRecursiveReasoningModel_ACTV1",
  trm_hier6: "recursive_reasoning.trm_hier6@TinyRecursiveReasoningModel_ACTV1",
  hrm: "recursive_reasoning.hrm@HierarchicalReasoningModel_ACTV1",
  transformers_baseline: "recursive_reasoning.transformers_baseline@Model_ACTV2",
};

export interface OfficialCase {
  readonly json: SystemCase;
  readonly tensors: CaseTensors;
  /** The configuration as in the official all_config.yaml, with the width multiple in the section trm_ts. */
  readonly official: Readonly<Record<string, unknown>>;
  /** The same settings as a flat record. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export function officialCase(folder: string): OfficialCase {
  const { json, tensors } = readCase(join(parityFolder, folder));
  if (!("steps" in json)) throw new Error(`${folder}: expected a system`);
  const { config, intermediate_multiple, train, kind } = json;
  const { loss_type, betas, global_batch_size, ema_rate, optimizer: _, total_steps, ...training } = train;
  const { batch_size: __, vocab_size, seq_len, num_puzzle_identifiers, ...arch } = config;
  const [beta1, beta2] = betas as [number, number];
  return {
    json,
    tensors,
    official: {
      arch: { name: archNames[kind], loss: { name: "losses@ACTLossHead", loss_type }, ...arch },
      global_batch_size,
      ...training,
      beta1,
      beta2,
      ema: true,
      ema_rate,
      trm_ts: {
        settings: {
          widthMultiple: intermediate_multiple,
          totalSteps: total_steps,
          vocabularySize: vocab_size,
          sequenceLength: seq_len,
          puzzleIds: num_puzzle_identifiers,
        },
      },
    },
    settings: { ...config, ...training, loss_type, betas, ema_rate, total_steps, intermediate_multiple },
  };
}
