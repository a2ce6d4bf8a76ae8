// Where a worker starts. It listens at once and loads what computes meanwhile: the library, and the build of the kernels that this browser
// runs.
import type { Calls } from "../shared/calls.ts";
import { answerCalls, type Port, type Reply, type Request } from "../shared/protocol.ts";

const handlers = import("./handlers.ts").then(({ allHandlers }) => allHandlers);

answerCalls<Calls>(globalThis as unknown as Port<Reply, Request>, handlers);
