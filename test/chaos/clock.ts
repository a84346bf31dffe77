/** Shifts the clock of a process of the service into which it is preloaded. */
const offsetMs = Number(process.env.CHAOS_CLOCK_MS ?? 0);
const realNow = Date.now.bind(Date);
const now = () => realNow() + offsetMs;

globalThis.Date = new Proxy(Date, {
  construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  apply: (target) => new target(now()).toString(),
  get: (target, key) => (key === "now" ? now : Reflect.get(target, key)),
});
