// The worker: answers the calls of shared/calls.ts. The page starts one for the model it shows and one for every training. What the first
// answer does not need is loaded when it is called for.
import type { Calls } from "../shared/calls.ts";
import { answerCalls, type Handlers, type Port, type Reply, type Request } from "../shared/protocol.ts";
import { solverHandlers } from "./solver.ts";

const trainer = () => import("./trainer.ts").then(({ trainerHandlers }) => trainerHandlers);

const handlers: Handlers<Calls> = {
  ...solverHandlers,
  begin: async (args, context) => (await trainer()).begin(args, context),
  train: async (args, context) => (await trainer()).train(args, context),
  traceNow: async (args, context) => (await trainer()).traceNow(args, context),
  checkpoint: async (args, context) => (await trainer()).checkpoint(args, context),
};

answerCalls<Calls>(globalThis as unknown as Port<Reply, Request>, handlers);
