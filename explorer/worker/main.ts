// The worker: answers the calls of shared/calls.ts. The page starts one for the model it shows and one for every training.
import type { Calls } from "../shared/calls.ts";
import { answerCalls, type Port, type Reply, type Request } from "../shared/protocol.ts";
import { solverHandlers } from "./solver.ts";
import { trainerHandlers } from "./trainer.ts";

answerCalls<Calls>(globalThis as unknown as Port<Reply, Request>, { ...solverHandlers, ...trainerHandlers });
