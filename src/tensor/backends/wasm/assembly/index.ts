// The exports of the module: the two entry points of the thread pool, which run every kernel by its number, and the address of the
// literals (see vector.ts for why it is exported).
export { runTasks, serve } from "./pool";
export { literals } from "./vector";
