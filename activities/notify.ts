import { ApplicationFailure } from "@temporalio/common";
import { hashCode } from "../store/codes.ts";
import { isImportant, type Recipient, writeNotice } from "../store/notices.ts";
import { getAccount } from "../store/postgres/accounts.ts";
import { actorsOf } from "../store/postgres/actors.ts";
import { getEvent, type NewEvent, recordEvent } from "../store/postgres/events.ts";
import type { AuditEvent, User } from "../store/postgres/schema.ts";
import { getUser } from "../store/postgres/users.ts";
import { formerAddress } from "../store/redis/sessions/former-addresses.ts";
import { isRequired, requirementOf, whoRequires } from "../store/requirement.ts";
import type { ActivityDeps } from "./deps.ts";
import { spendNotice } from "./notice-budget.ts";

/** What became of a notice; `mail_off` where the service has no way to send mails. */
export type NoticeOutcome = "sent" | "no_address" | "refused" | "mail_off";

/** Of a notice over the budget of its address: it is dropped, and its flow ends as given up. */
const OVER_BUDGET = "over_budget";

/** Telling a user of an event. The address and the words are found when it is sent, and stay out of history. */
export function noticeActivities(deps: ActivityDeps) {
  const { db, redis, mail, config, clock } = deps;
  const requiredOf = async (user: User) => {
    const account = await getAccount(db, user.accountId);
    const required = account && isRequired(requirementOf({ user, account }, config), clock.now());
    return required ? { requiredBy: whoRequires(user, config) } : {};
  };
  return {
    async sendNotice({ eventId, to }: { eventId: number; to: Recipient }): Promise<NoticeOutcome> {
      if (!mail) return "mail_off";
      const event = await getEvent(db, eventId);
      const user = event?.userId && (await getUser(db, event.userId));
      if (!user) throw ApplicationFailure.nonRetryable("No such event of a user", "no_event");
      const change = { userId: user.id, eventKey: event.key };
      const address = to === "former" ? await formerAddress(redis, change) : user.email;
      if (!address) return "no_address";
      const { SERVICE_NAME: service, PUBLIC_URL: url, SUPPORT_CONTACT: support } = config;
      const actorOf = await actorsOf(db, [event]);
      const words = writeNotice(event, to, {
        service,
        username: user.username,
        url,
        support: support?.text,
        actorRole: actorOf(event)?.roleThen,
        ...(await requiredOf(user)),
      });
      // A crash after the server took it sends it twice, under the same id.
      const id = hashCode(config.CODE_KEY, "notice", event.key, to);
      const spent = await spendNotice(deps, {
        address,
        accountId: user.accountId,
        important: isImportant(event),
      });
      if (!spent) {
        await recordEvent(db, droppedNotice(event, to, new Date(clock.now())));
        throw ApplicationFailure.nonRetryable("The address was sent too many notices", OVER_BUDGET);
      }
      return mail.send({ id, to: address, ...words }).catch(async (error) => {
        await spent.giveBack();
        throw error;
      });
    },
  };
}

/** What the user's activity tells of a notice that was not sent; nobody is mailed of that. */
function droppedNotice(
  { key, accountId, userId, type }: AuditEvent,
  to: Recipient,
  at: Date,
): NewEvent {
  const detail = { notice: type, to };
  return {
    key: `${key}/notice-dropped/${to}`,
    at,
    accountId,
    userId,
    type: "notice_dropped",
    detail,
  };
}
