// Answers to the calls of shared/calls.ts. The page starts one worker for the model it shows and one for every training. What the first
// answer does not need is loaded when it is called for.
import type { Calls } from "../shared/calls.ts";
import type { Handlers } from "../shared/protocol.ts";
import { solverHandlers } from "./solver.ts";

const trainer = () => import("./trainer.ts").then(({ trainerHandlers }) => trainerHandlers);

export const allHandlers: Handlers<Calls> = {
  ...solverHandlers,
  begin: async (args, context) => (await trainer()).begin(args, context),
  train: async (args, context) => (await trainer()).train(args, context),
  traceNow: async (args, context) => (await trainer()).traceNow(args, context),
  checkpoint: async (args, context) => (await trainer()).checkpoint(args, context),
};
