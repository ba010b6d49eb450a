import { maskPhoneNumber } from "../../store/phones.ts";
import { recordEvent } from "../../store/postgres/events/events.ts";
import { getUser } from "../../store/postgres/users.ts";
import { HOUR_MS } from "../../units.ts";
import type { CoreDeps } from "../deps.ts";
import { Problem } from "../problem.ts";

/**
 * Records that a limit refused a message, if the error says so. The event holds the masked number,
 * and is recorded once per user, limit and hour, so that an attack cannot fill the table.
 */
export async function recordRefusedSend(
  { db, clock }: Pick<CoreDeps, "db" | "clock">,
  { userId, kind, phoneNumber }: { userId: string; kind: "pin" | "passcode"; phoneNumber: string },
  error: unknown,
): Promise<void> {
  if (!(error instanceof Problem) || error.code !== "send_limit") return;
  const user = await getUser(db, userId);
  if (!user) return;
  const { limit } = error.extra.members ?? {};
  const now = clock.now();
  await recordEvent(db, {
    key: `send_refused/${userId}/${limit}/${Math.floor(now / HOUR_MS)}`,
    at: new Date(now),
    type: "send_refused",
    accountId: user.accountId,
    userId,
    detail: { limit, kind, number: maskPhoneNumber(phoneNumber) },
  });
}
