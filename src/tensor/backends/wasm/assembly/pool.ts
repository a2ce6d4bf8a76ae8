// Distributing the items of kernels among threads.
//
// One thread (the caller) publishes a list of tasks in shared memory and works on them. The helping threads spin for a moment, then sleep
// until there is a list. A task begins when the previous one is done. Every thread begins with its own part of the items and takes a few
// at a time. It is the same part of the batch in every task, so that a thread finds its own results in its cache. Then it takes items of
// the other parts. The result does not depend on the thread: an item writes its own part of the output and sums in a fixed order.
import { runKernel } from "./kernels";
import { evenStart } from "./shares";

/** State shared by all threads. Every function receives its address, so that it can be anywhere in memory. */
@unmanaged
class Job {
  /** Number of lists so far. Sleeping threads wait for it to change. */
  generation: i32;
  /** 1 while threads may work on tasks. */
  open: i32;
  /** Number of helping threads that work on the list. */
  active: i32;
  /** Number of sleeping threads. */
  asleep: i32;
  /** Number of helping threads that have started. */
  ready: i32;
  /** Number of all threads, including the caller. */
  threads: i32;
  tasks: usize;
  taskCount: i32;
  /** Address of the scratch of thread 0; that of thread t is scratch + t · scratchStep. */
  scratch: usize;
  scratchStep: usize;
  /** Number of times a thread checks for the next list before it sleeps. */
  spins: i32;
  /** 1 if the caller may sleep. The main thread of a page may not. */
  callerMaySleep: i32;
  /** 1 after a helping thread has trapped, so that its items are never done. */
  helperTrapped: i32;
}

/** A kernel to run. Its parameters begin PARAMETERS bytes after its address. */
@unmanaged
class Task {
  kernel: i32;
  items: i32;
  /** Number of items to take at a time; 0 if the caller computes all items. */
  grain: i32;
  /** Number of items that are done. */
  done: i32;
  /** Number of helping threads that took items. */
  helpers: i32;
  /** Address of the numbers of items taken from each thread's part, [threads]. */
  taken: usize;
}

/** Bytes from a task to its parameters, and to the next task. ../runtime.ts has the same numbers in words. */
// @ts-ignore: decorator
@inline
const PARAMETERS: usize = 32;
// @ts-ignore: decorator
@inline
const TASK_BYTES: usize = 128;

/** Factor for the number of checks before a thread sleeps within a list. */
// @ts-ignore: decorator
@inline
const PATIENCE: i32 = 20;

/**
 * Runs the first `count` tasks one after another. Returns when all are done.
 *
 * @param share  0 if the caller runs all tasks, so that no thread is woken
 */
export function runTasks(address: usize, count: i32, share: i32): void {
  const job = changetype<Job>(address);
  job.taskCount = count;
  if (!share) return work(job, 0);
  const generation = address + offsetof<Job>("generation");
  const open = address + offsetof<Job>("open");
  atomic.store<i32>(open, 1);
  atomic.add<i32>(generation, 1);
  if (atomic.load<i32>(address + offsetof<Job>("asleep")) > 0) atomic.notify(generation, -1);
  work(job, 0);
  // A thread that becomes active after this line finds the list closed; one that was active before is about to leave.
  atomic.store<i32>(open, 0);
  waitFor(job, address + offsetof<Job>("active"), 0, 0);
}

/** The main loop of a helping thread, 1 <= thread. Never returns. */
export function serve(address: usize, thread: i32): void {
  const job = changetype<Job>(address);
  const generation = address + offsetof<Job>("generation");
  const active = address + offsetof<Job>("active");
  const open = address + offsetof<Job>("open");
  const asleep = address + offsetof<Job>("asleep");
  atomic.add<i32>(address + offsetof<Job>("ready"), 1);
  let seen = atomic.load<i32>(generation) - 1;
  while (true) {
    let looks = 0;
    while (atomic.load<i32>(generation) == seen) {
      looks++;
      if (looks > job.spins) {
        atomic.add<i32>(asleep, 1);
        atomic.wait<i32>(generation, seen, -1);
        atomic.sub<i32>(asleep, 1);
      }
    }
    seen = atomic.load<i32>(generation);
    atomic.add<i32>(active, 1);
    if (atomic.load<i32>(open)) work(job, thread);
    atomic.sub<i32>(active, 1);
  }
}

/** The work of one thread in all tasks of the list. */
function work(job: Job, thread: i32): void {
  const scratch = job.scratch + <usize>thread * job.scratchStep;
  let address = job.tasks;
  for (let left = job.taskCount; left > 0; left--) {
    const task = changetype<Task>(address);
    const done = address + offsetof<Task>("done");
    if (task.grain > 0) {
      let count = 0;
      for (let i = 0; i < job.threads; i++) count += workOnPart(task, (thread + i) % job.threads, job.threads, scratch);
      if (thread > 0 && count > 0) atomic.add<i32>(address + offsetof<Task>("helpers"), 1);
    } else if (thread == 0) {
      runKernel(task.kernel, address + PARAMETERS, 0, task.items, scratch);
      atomic.store<i32>(done, task.items);
    }
    waitFor(job, done, task.items, thread);
    address += TASK_BYTES;
  }
}

/** Takes items of one thread's part until none are left. Returns the number of items computed. */
function workOnPart(task: Task, part: i32, parts: i32, scratch: usize): i32 {
  const address = changetype<usize>(task);
  const taken = task.taken + (<usize>part << 2);
  const grain = task.grain;
  const first = evenStart(part, task.items, parts), last = evenStart(part + 1, task.items, parts);
  let count = 0;
  for (let start = first + atomic.add<i32>(taken, grain); start < last; start = first + atomic.add<i32>(taken, grain)) {
    const end = min(start + grain, last);
    runKernel(task.kernel, address + PARAMETERS, start, end, scratch);
    atomic.add<i32>(address + offsetof<Task>("done"), end - start);
    count += end - start;
  }
  return count;
}

/**
 * Returns when the number at `address` is `value`. The thread spins first and then, if it may sleep, checks every tenth of a
 * millisecond. It spins longer than for the next list, because the last items of other threads usually end before it would wake up.
 * Traps if a helping thread has trapped.
 */
function waitFor(job: Job, address: usize, value: i32, thread: i32): void {
  const maySleep = thread > 0 || job.callerMaySleep;
  let looks = 0;
  for (let seen = atomic.load<i32>(address); seen != value; seen = atomic.load<i32>(address)) {
    looks++;
    if (looks <= PATIENCE * job.spins) continue;
    if (atomic.load<i32>(changetype<usize>(job) + offsetof<Job>("helperTrapped"))) unreachable();
    if (maySleep) atomic.wait<i32>(address, seen, 100_000);
  }
}
