// Sharing the items of kernels among threads.
//
// One thread (the caller) publishes a list of tasks in shared memory and works on them too; the others spin for a moment, then sleep
// until a list comes. A task begins when the one before it is done. Every thread begins with its own part of the items, a few at a time,
// the same part of the batch in every task, so that it finds in its cache what it wrote itself; then it helps the others with theirs.
// Which thread computes an item never matters: an item writes its own part of the output and its sums are made in one order.
import { runKernel } from "./kernels";
import { evenStart } from "./shares";

/** What all threads see. Its address is given to every function, so that it may lie anywhere in memory. */
@unmanaged
class Job {
  /** Counts the lists; sleepers wait for it to change. */
  generation: i32;
  /** 1 while tasks may be worked on. */
  open: i32;
  /** Threads inside the list, the caller not counted. */
  active: i32;
  /** Threads asleep. */
  asleep: i32;
  /** Threads that serve, once they have started. */
  ready: i32;
  /** All threads, the caller counted. */
  threads: i32;
  tasks: usize;
  taskCount: i32;
  /** Scratch of thread t: scratch + t · scratchStep. */
  scratch: usize;
  scratchStep: usize;
  /** How often a thread looks for the next list before it sleeps. */
  spins: i32;
  /** 1 if the caller may sleep too, which a page's main thread may not. */
  callerMaySleep: i32;
  /** 1 once a helping thread has trapped: its items will never be done. */
  helperTrapped: i32;
}

/** A kernel to run. Its parameters follow at PARAMETERS. */
@unmanaged
class Task {
  kernel: i32;
  items: i32;
  /** Items taken at a time; 0 if the caller does them all. */
  grain: i32;
  /** Items that are done. */
  done: i32;
  /** Helping threads that took items. */
  helpers: i32;
  /** Per thread: how many items of its part have been taken, [threads]. */
  taken: usize;
}

/** Bytes from a task to its parameters, and to the next task; ../runtime.ts has the same two in words. */
// @ts-ignore: decorator
@inline
const PARAMETERS: usize = 32;
// @ts-ignore: decorator
@inline
const TASK_BYTES: usize = 128;

/** Within a list a thread looks that many times as often before it sleeps. */
// @ts-ignore: decorator
@inline
const PATIENCE: i32 = 20;

/**
 * Runs the first `count` tasks, one after the other; returns when all are done.
 *
 * @param share  0 if all of them are for the caller, so that nobody is woken
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
  // A thread that counts itself in from here on sees the list closed; one that did before is about to leave.
  atomic.store<i32>(open, 0);
  waitFor(job, address + offsetof<Job>("active"), 0, 0);
}

/** The life of a helping thread, 1 <= thread. Never returns. */
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

/** One thread's part in all tasks of the list. */
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

/** Takes items of one thread's part until none are left. Returns how many it did. */
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
 * Returns when the number at `address` has become `value`: spins first, then, where it may sleep, looks every tenth of a millisecond. It
 * spins longer than for the next list: mostly the other threads' last items are about to end, before it could be woken. Traps if
 * a helping thread has.
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
