import type { ClientInfo } from "./methods.ts";

/** What every kind of device goes through once its owner proved it, removed it, or forgot it. */
export type SettlementEvent =
  | { type: "REMOVE"; origin: ClientInfo }
  | { type: "DEVICE_SETTLED" }
  | { type: "DEVICE_GONE" };

export type EnrollmentContext = {
  lifetimeMs: number;
  makeDefault: boolean;
  /** Whether proving the device ends the user's sessions, so that the next login uses it. */
  signOut: boolean;
  /** The device is proven, but does not count before its user turns multi-factor authentication on. */
  aside?: boolean;
  /** Proven by a session without a second factor, so good only while there is none. */
  alone?: boolean;
  /** The mark of the secret that an app's code was made of. */
  sealedAs?: string;
  origin?: ClientInfo;
};

/** The states behind `unverified`, the same for each kind of device. `settling` ones are waited for. */
export const settlement = {
  verifying: {
    tags: "settling",
    entry: "settleDevice",
    on: { DEVICE_SETTLED: "verified", DEVICE_GONE: "removed" },
  },
  removing: { tags: "settling", entry: "removeDevice", on: { DEVICE_GONE: "removed" } },
  dropping: { tags: "settling", entry: "dropDevice", on: { DEVICE_GONE: "dropped" } },
  verified: { type: "final" },
  removed: { type: "final" },
  dropped: { type: "final" },
} as const;
