import { expect, test } from "vitest";
import { EVENT_KINDS } from "../../portal/account/activity-filter.tsx";
import { EVENT_TYPES } from "../../store/events/event-types.ts";

test("each type of event belongs to one choice of the activity's filter", () => {
  const types = Object.values(EVENT_KINDS).flatMap((kind) => kind.types);
  expect(types.toSorted()).toEqual(EVENT_TYPES.toSorted());
});
