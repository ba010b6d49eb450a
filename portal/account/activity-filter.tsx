import { isUsual } from "../../api/http/inputs.ts";
import { listAudit } from "../../core/audit.ts";
import type { CoreDeps } from "../../core/deps.ts";
import type { EventType } from "../../store/events/event-types.ts";
import type { EventFilter, EventQuery, Reader } from "../../store/postgres/events/read-events.ts";
import { DAY_MS } from "../../units.ts";
import type { PortalContext } from "../layout/form.ts";
import { Field } from "../layout/parts.tsx";
import { type Faults, faultyFields, NO_FAULTS } from "../layout/words.ts";

/** The choices of the filter. Each type of event is in one of them. */
export const EVENT_KINDS: Record<string, { label: string; types: EventType[] }> = {
  logins: {
    label: "Logins and locks",
    types: [
      "login_succeeded",
      "login_failed",
      "second_step_failed",
      "attempt_given_back",
      "login_challenge_expired",
      "account_locked",
      "account_unlocked",
      "other_sessions_ended",
    ],
  },
  devices: {
    label: "Devices and methods",
    types: [
      "sms_device_added",
      "otp_device_added",
      "otp_device_restarted",
      "webauthn_device_added",
      "device_renamed",
      "key_counter_regressed",
      "device_verified",
      "device_removed",
      "device_dropped",
      "enrollment_ended",
      "all_devices_removed",
      "multi_factor_reset",
      "multi_factor_switched_on",
      "multi_factor_switched_off",
      "default_method_changed",
    ],
  },
  recovery: { label: "Recovery codes", types: ["recovery_codes_made", "recovery_code_used"] },
  keys: { label: "API keys", types: ["api_key_made", "api_key_revoked"] },
  messages: { label: "Messages not sent", types: ["send_refused", "notice_dropped"] },
  users: {
    label: "Users and their settings",
    types: [
      "user_added",
      "user_looked_up",
      "user_requirement_changed",
      "role_changed",
      "password_changed",
      "password_change_failed",
      "email_changed",
    ],
  },
  account: {
    label: "Settings of the account",
    types: [
      "account_created",
      "account_setting_changed",
      "policy_changed",
      "policy_enforced",
      "multi_factor_reminder",
      "account_linked",
      "linked_by_account",
      "account_link_refused",
      "webhook_added",
      "webhook_removed",
      "webhook_disabled",
      "webhook_enabled",
    ],
  },
};

/** A page's filter: as typed, and as a query. */
export type ActivityFilter = {
  typed: Record<string, string>;
  looked: Pick<EventFilter, "types" | "from" | "to">;
  faults: Faults;
};

/** Reads the filter from the URL's query. A date that is not valid is a fault at its field. */
export function readFilter(c: PortalContext): ActivityFilter {
  const typed = Object.fromEntries(
    Object.entries(c.req.query()).filter(([name, value]) => name !== "before" && value !== ""),
  );
  const fields: Faults["fields"] = {};
  const day = (name: string) => {
    const text = typed[name];
    if (text === undefined) return undefined;
    const date = new Date(`${text}T00:00:00Z`);
    if (/^\d{4}-\d\d-\d\d$/.test(text) && isUsual(date)) return date;
    fields[name] = "Give a day, such as 2026-01-31.";
  };
  const [first, last] = [day("from"), day("to")];
  if (first && last && first > last) fields.to = "Choose a day that is not before From.";
  const looked = {
    types: EVENT_KINDS[typed.kind ?? ""]?.types,
    from: first,
    // The last day is included.
    to: last && new Date(last.getTime() + DAY_MS),
  };
  return {
    typed,
    looked,
    faults: Object.keys(fields).length > 0 ? faultyFields(fields) : NO_FAULTS,
  };
}

/** A page of matching events; an empty one if the filter has faults. */
export async function filtered(
  deps: CoreDeps,
  { faults }: ActivityFilter,
  query: EventQuery,
  reader: Reader,
): ReturnType<typeof listAudit> {
  return faults.status === 200 ? listAudit(deps, query, reader) : { events: [], next: null };
}

/** The address of a page with the same filter. */
export function withFilter(
  path: string,
  { typed }: Pick<ActivityFilter, "typed">,
  more: Record<string, string> = {},
) {
  const query = new URLSearchParams({ ...typed, ...more }).toString();
  return query ? `${path}?${query}` : path;
}

/** The form of a filter; `people` asks for user names as well. */
export function FilterForm({
  path,
  filter: { typed, faults },
  people = false,
}: {
  path: string;
  filter: ActivityFilter;
  people?: boolean;
}) {
  return (
    <form method="get" action={path}>
      <div class="field">
        <label for="kind">Show</label>
        <select id="kind" name="kind">
          <option value="">Everything</option>
          {Object.entries(EVENT_KINDS).map(([kind, { label }]) => (
            <option value={kind} selected={kind === typed.kind}>
              {label}
            </option>
          ))}
        </select>
      </div>
      {people && <PeopleFields typed={typed} faults={faults} />}
      <Field name="from" label="From" faults={faults} value={typed.from} type="date" />
      <Field
        name="to"
        label="To"
        hint="Dates are in UTC."
        faults={faults}
        value={typed.to}
        type="date"
      />
      <div class="actions">
        <button type="submit" class="second">
          Show
        </button>
        <a href={path}>Show everything</a>
      </div>
    </form>
  );
}

function PeopleFields({ typed, faults }: Pick<ActivityFilter, "typed" | "faults">) {
  const names = { autocomplete: "off", autocapitalize: "none", spellcheck: "false" };
  return (
    <>
      <Field name="user" label="About the user" faults={faults} value={typed.user} {...names} />
      <Field name="actor" label="Done by the user" faults={faults} value={typed.actor} {...names} />
    </>
  );
}
