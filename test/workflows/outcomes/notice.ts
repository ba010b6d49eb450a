import { findEvent, recordEvent } from "../../../store/postgres/events/events.ts";
import { setEmail } from "../../../store/postgres/users.ts";
import { eventOf, newUser } from "../../store/postgres/database.ts";
import type { World } from "../world.ts";
import type { Outcome } from "./outcome.ts";

const UNKNOWN_EVENT = 9_000_000_000;

/** The notice of an event about a new user, with or without an address. */
async function notice(world: World, { email, eventId }: { email?: string; eventId?: number }) {
  const user = await newUser(world.db);
  const { id: userId, accountId } = user;
  if (email) await setEmail(world.db, { userId, email }, eventOf(user));
  const event = eventOf(user, "device_verified");
  await recordEvent(world.db, event);
  const recorded = await findEvent(world.db, event.key);
  return world.notice({ userId, accountId }, eventId ?? recorded?.id ?? UNKNOWN_EVENT);
}

/** The ways in which an e-mail notice ends. */
export const noticeOutcomes: Record<string, Outcome> = {
  "a notice that is sent": (world) => notice(world, { email: "somebody@example.com" }),
  async "a notice that the mail server refuses"(world) {
    world.mailbox.refuse();
    return notice(world, { email: "nobody@example.com" });
  },
  "a notice to a user without an address": (world) => notice(world, {}),
  "a notice that is given up": (world) => notice(world, { eventId: UNKNOWN_EVENT }),
  async "a notice of a service without mails"(world) {
    await world.withoutWorker(async () => {}, { mail: undefined });
    const handle = await notice(world, { email: "somebody@example.com" });
    await handle.result();
    await world.withoutWorker(async () => {});
    return handle;
  },
};
