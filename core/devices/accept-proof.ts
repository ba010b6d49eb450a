import type { Acceptance } from "../../machines/enrollment.ts";
import type { ClientInfo } from "../../machines/methods.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { addFactor } from "../../store/redis/sessions/sessions.ts";
import type { EnrollmentView } from "../../workflows/view-types.ts";
import type { CoreDeps } from "../deps.ts";
import {
  type DeviceView,
  enrollmentRefusal,
  type ProofOptions,
  proven,
  type Unverified,
  viewDevice,
} from "./devices.ts";

/** The device after its proof, and whether that has ended the session; if not, the session. */
export type Verified = { device: DeviceView; signedOut: boolean; session?: Session };

/**
 * What was proven, and the methods that the session has from now on, by their names in `amr`. A key
 * is not one: `pop` is for a login by a key, and this session's login may have been phished.
 */
type Proven = { sealedAs?: string; amr: ("otp" | "mfa")[]; origin: ClientInfo };

/**
 * Tells the enrollment of an app or a key that its proof was right, through `accept`. The user is
 * logged out to log in with the device, unless it does not become the default: then the session
 * gains the factor.
 */
export async function acceptProof(
  deps: CoreDeps,
  device: Unverified,
  { makeDefault, inactive }: ProofOptions,
  { sealedAs, amr: added, origin }: Proven,
  accept: (
    facts: Acceptance,
    updateId: string,
  ) => Promise<{ moved: boolean; view: EnrollmentView }>,
): Promise<Verified> {
  const { by: session, alone } = device;
  // A set-up session can do nothing else, so the user logs in again with the new device.
  const signOut = !inactive && (makeDefault || session.scope === "mfa_setup");
  // Two concurrent requests with different options need different Update IDs.
  const request = inactive ? "accept/aside" : signOut ? "accept/sign_out" : "accept";
  const facts = { makeDefault, signOut, aside: inactive, alone, sealedAs, origin };
  const accepted = await accept(facts, request);
  // Not moved: another request with other options has proven the device first.
  if (!accepted.moved || accepted.view.state === "removed") throw enrollmentRefusal(accepted.view);
  const view = await viewDevice(deps, proven(deps, device, inactive));
  if (inactive) return { device: view, signedOut: false, session };
  if (signOut) return { device: view, signedOut: true };
  const amr = [...new Set([...session.amr, ...added])];
  const { id: sessionId } = session;
  const stronger = await addFactor(deps.redis, { sessionId, amr, now: deps.clock.now() });
  return { device: view, signedOut: stronger === undefined, session: stronger };
}
