import type { ClientInfo } from "./methods.ts";

/**
 * The events that end the enrollment of every kind of device: it was proven, removed, or forgotten.
 */
export type FinishingEvent =
  | { type: "REMOVE"; origin: ClientInfo }
  | { type: "DEVICE_VERIFIED" }
  | { type: "DEVICE_GONE" };

export type EnrollmentContext = {
  lifetimeMs: number;
  makeDefault: boolean;
  /**
   * Whether proving the device ends the user's sessions, so that the next login uses the device.
   */
  signOut: boolean;
  /**
   * The device is proven, but inactive until its user turns multi-factor authentication on. Called
   * `aside` in payloads and audit events, because recorded ones hold that name.
   */
  aside?: boolean;
  /**
   * Proven by a session without a second factor, so the proof only counts while the user has none.
   */
  alone?: boolean;
  /** The mark of the secret, or of the credential, that was proven. */
  sealedAs?: string;
  origin?: ClientInfo;
};

/** What a proof says about the device. */
export type Acceptance = Omit<EnrollmentContext, "lifetimeMs"> & { origin: ClientInfo };

/** The part of the context that a proof decides. */
export const accepted = ({
  makeDefault,
  signOut,
  aside,
  alone,
  sealedAs,
  origin,
}: Acceptance): Acceptance => ({ makeDefault, signOut, aside, alone, sealedAs, origin });

/**
 * The states after `unverified`, the same for each kind of device. Callers wait while a state is
 * tagged
 * `callers_wait`.
 */
export const finishingStates = {
  verifying: {
    tags: "callers_wait",
    entry: "settleDevice",
    on: { DEVICE_VERIFIED: "verified", DEVICE_GONE: "removed" },
  },
  removing: { tags: "callers_wait", entry: "removeDevice", on: { DEVICE_GONE: "removed" } },
  dropping: { tags: "callers_wait", entry: "dropDevice", on: { DEVICE_GONE: "dropped" } },
  verified: { type: "final" },
  removed: { type: "final" },
  dropped: { type: "final" },
} as const;
