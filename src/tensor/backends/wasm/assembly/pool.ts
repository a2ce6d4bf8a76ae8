// Sharing the items of one kernel among threads.
//
// One thread (the caller) publishes a job in shared memory and works on it too; the others spin for a moment, then sleep until
// a job comes. Every thread takes the next few items until none are left. Which thread computes an item never matters:
// an item writes its own part of the output and its sums are made in one order.
import { runKernel } from "./kernels";

/** The job that all threads see. Its address is given to every function, so that it may lie anywhere in memory. */
@unmanaged
class Job {
  /** Counts the jobs; sleepers wait for it to change. */
  generation: i32;
  /** 1 while items may be taken. */
  open: i32;
  /** The first item that nobody has taken. */
  next: i32;
  /** Threads inside the job, the caller not counted. */
  active: i32;
  /** Threads asleep. */
  asleep: i32;
  /** Threads that serve, once they have started. */
  ready: i32;
  kernel: i32;
  parameters: usize;
  items: i32;
  /** Items taken at a time. */
  grain: i32;
  /** Scratch of thread t: scratch + t · scratchStep. */
  scratch: usize;
  scratchStep: usize;
  /** How often an idle thread looks for a job before it sleeps. */
  spins: i32;
  /** 1 if the caller may sleep too, which a page's main thread may not. */
  callerMaySleep: i32;
}

/** Runs a kernel's items on all threads; returns when every item is done. */
export function dispatch(address: usize, kernel: i32, parameters: usize, items: i32, grain: i32): void {
  const job = changetype<Job>(address);
  const generation = address + offsetof<Job>("generation");
  const active = address + offsetof<Job>("active");
  job.kernel = kernel;
  job.parameters = parameters;
  job.items = items;
  job.grain = grain;
  atomic.store<i32>(address + offsetof<Job>("next"), 0);
  atomic.store<i32>(address + offsetof<Job>("open"), 1);
  atomic.add<i32>(generation, 1);
  if (atomic.load<i32>(address + offsetof<Job>("asleep")) > 0) atomic.notify(generation, -1);
  takeItems(job, address, job.scratch);
  // A thread that counts itself in from here on sees the job closed; one that did before has its last items to finish.
  atomic.store<i32>(address + offsetof<Job>("open"), 0);
  let looks = 0;
  for (let busy = atomic.load<i32>(active); busy > 0; busy = atomic.load<i32>(active)) {
    looks++;
    if (looks > job.spins && job.callerMaySleep) atomic.wait<i32>(active, busy, 100_000);
  }
}

/** Runs a kernel's items on the calling thread alone, for kernels too small to share. */
export function runAlone(address: usize, kernel: i32, parameters: usize, items: i32): void {
  runKernel(kernel, parameters, 0, items, changetype<Job>(address).scratch);
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
    if (atomic.load<i32>(open)) takeItems(job, address, job.scratch + <usize>thread * job.scratchStep);
    atomic.sub<i32>(active, 1);
    atomic.notify(active, 1);
  }
}

function takeItems(job: Job, address: usize, scratch: usize): void {
  const next = address + offsetof<Job>("next");
  const items = job.items, grain = job.grain;
  while (true) {
    const start = atomic.add<i32>(next, grain);
    if (start >= items) return;
    runKernel(job.kernel, job.parameters, start, min(start + grain, items), scratch);
  }
}
