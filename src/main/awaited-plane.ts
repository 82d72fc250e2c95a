/** Journal and API open after VRRP has begun: what needs them before waits here. */
import type { startControlPlane } from "../control/control-plane.ts";

type Plane = Awaited<ReturnType<typeof startControlPlane>>;

export function awaitedPlane() {
  const { promise, resolve } = withResolvers();
  const plane = {
    opened: null as Plane | null,
    set(opened: Plane): void {
      plane.opened = opened;
      resolve();
    },
    report: async (): Promise<string> => {
      if (plane.opened === null) throw new Error("the API is not there yet");
      return plane.opened.report();
    },
    /** A takeover in the first second waits for the journal to be opened. */
    flush: (): Promise<boolean> => promise.then(() => plane.opened?.journal?.flush() ?? false),
  };
  return plane;
}

export function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((given) => {
    resolve = given;
  });
  return { promise, resolve };
}
