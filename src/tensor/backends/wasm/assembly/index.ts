// What the module exports: the two entries of the thread pool. Everything else is reached through a kernel's number. (And the
// address of literals: see there.)
export { runTasks, serve } from "./pool";
export { literals } from "./vector";
