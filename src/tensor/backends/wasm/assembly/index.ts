// What the module exports: the two entries of the thread pool. Everything else is reached through a kernel's number.
export { runTasks, serve } from "./pool";
