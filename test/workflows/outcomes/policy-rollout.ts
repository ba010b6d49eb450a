import { verifyDevice } from "../../../store/postgres/devices.ts";
import type { Requirement } from "../../../store/postgres/schema.ts";
import { DAY_MS } from "../../../units.ts";
import { addedKey, eventOf } from "../../store/postgres/database.ts";
import { eventually, ORIGIN } from "../flows.ts";
import type { World } from "../world.ts";
import { type Outcome, SOON_MS } from "./outcome.ts";

/** A policy change, as an administrator announces it. */
const change = (
  actorId: string,
  requirement: Requirement,
  { graceMs = 0, supersedes }: { graceMs?: number; supersedes?: number } = {},
) => ({
  requirement,
  enforceAfter: graceMs > 0 ? "2026-02-01T00:00:00.000Z" : null,
  graceMs,
  supersedes,
  actorId,
  origin: ORIGIN,
});

/** A requirement on an account with one user, whose device is not verified yet. */
async function required(world: World, graceMs = 0) {
  const app = await world.otpEnrollment();
  const rollout = await world.policyRollout(app, 1);
  await rollout.update("announce", change(app.userId, "required", { graceMs }));
  return { app, ...rollout };
}

/** The ways in which the roll-out of a policy version ends. */
export const rolloutOutcomes: Record<string, Outcome> = {
  async "a requirement that one user has yet to meet"(world) {
    const { app, handle, reaches, update } = await required(world);
    await reaches("enforced");
    await update("recount");
    const { userId, accountId, deviceId } = app;
    const proof = { userId, deviceId, at: new Date(world.clock.now()), makeDefault: true };
    await verifyDevice(world.db, proof, eventOf({ id: userId, accountId }));
    await update("recount");
    return handle;
  },
  async "a requirement of a security key, on an account whose user has an app"(world) {
    const { userId, accountId } = await world.loginChallenge({ method: "otp" });
    const rollout = await world.policyRollout({ userId, accountId }, 1);
    await rollout.update(
      "announce",
      change(userId, "phishing_resistant", { graceMs: 3 * DAY_MS + SOON_MS }),
    );
    await world.pass(SOON_MS);
    await eventually(async () => (await rollout.view()).remindedDaysBefore).toBe(3);
    const next = await world.policyRollout({ userId, accountId }, 2);
    await next.update("announce", change(userId, "phishing_resistant", { supersedes: 1 }));
    await next.reaches("enforced");
    const owner = { id: userId, accountId };
    const { id: deviceId } = await addedKey(world.db, owner);
    const proof = { userId, deviceId, at: new Date(world.clock.now()), makeDefault: true };
    await verifyDevice(world.db, proof, eventOf(owner));
    await next.update("recount");
    return next.handle;
  },
  async "a requirement with a grace period, on an account that meets it"(world) {
    const login = await world.loginChallenge({ method: "otp" });
    const { handle, update } = await world.policyRollout(login, 1);
    await update("announce", change(login.userId, "required", { graceMs: SOON_MS }));
    return handle;
  },
  async "a requirement that another one takes the place of, after a reminder"(world) {
    const { app, handle, view } = await required(world, 3 * DAY_MS + SOON_MS);
    await world.pass(SOON_MS);
    await eventually(async () => (await view()).remindedDaysBefore).toBe(3);
    const next = await world.policyRollout(app, 2);
    await next.update("announce", change(app.userId, "required", { supersedes: 1 }));
    return handle;
  },
  async "a requirement that is taken back"(world) {
    const { app, handle, reaches } = await required(world);
    await reaches("enforced");
    const next = await world.policyRollout(app, 2);
    await next.update("announce", change(app.userId, "optional", { supersedes: 1 }));
    return handle;
  },
  async "a policy made optional"(world) {
    const login = await world.loginChallenge({ method: "otp" });
    const { handle, update } = await world.policyRollout(login, 1);
    await update("announce", change(login.userId, "optional"));
    return handle;
  },
  async "a policy that another administrator has changed first"(world) {
    const login = await world.loginChallenge({ method: "otp" });
    const { handle, update } = await world.policyRollout(login, 5);
    await update("announce", change(login.userId, "required"));
    return handle;
  },
  async "a roll-out that nobody announces"(world) {
    const login = await world.loginChallenge({ method: "otp" });
    return (await world.policyRollout(login, 1)).handle;
  },
};
