// The emulator's stand-in for `@forge/events`: names to import, and InvocationError.
//
// Follows: @forge/events 3.0.8 as measured: exported names, the check of a queue's name, the shape
// of an InvocationError (a plain object marked `_retry`).
// Differs: queues and app events are not emulated; what would reach them throws NotEmulatedError.
import { missing } from "firebrick:errors";

class EventsError extends Error {}
export class InvalidQueueNameError extends EventsError {}
export class TooManyEventsError extends EventsError {}
export class PayloadTooBigError extends EventsError {}
export class NoEventsToPushError extends EventsError {}
export class RateLimitError extends EventsError {}
export class JobDoesNotExistError extends EventsError {}
export class InvalidPushSettingsError extends EventsError {}
export class InvocationLimitReachedError extends EventsError {}

export class PartialSuccessError extends EventsError {
  constructor(message, result, failedEvents) {
    super(message);
    this.result = result;
    this.failedEvents = failedEvents;
  }
}

export class InternalServerError extends EventsError {
  constructor(message, errorCode, details) {
    super(message);
    this.errorCode = errorCode;
    this.details = details;
  }
}

export const InvocationErrorCode = Object.fromEntries(
  [
    "FUNCTION_OUT_OF_MEMORY",
    "FUNCTION_TIME_OUT",
    "FUNCTION_PLATFORM_UNKNOWN_ERROR",
    "FUNCTION_PLATFORM_RATE_LIMITED",
    "FUNCTION_UPSTREAM_RATE_LIMITED",
    "FUNCTION_RETRY_REQUEST",
  ].map((code) => [code, code]),
);

export class InvocationError {
  constructor(options = undefined) {
    const { retryAfter = 1, ...rest } = options ?? {
      retryReason: InvocationErrorCode.FUNCTION_RETRY_REQUEST,
    };
    return { _retry: true, retryOptions: { retryAfter: Math.max(retryAfter, 1), ...rest } };
  }
}

export class JobProgress {
  constructor(id) {
    this.id = id;
  }

  getStats = missing("queues (JobProgress.getStats)");

  cancel = missing("queues (JobProgress.cancel)");
}

export class Queue {
  constructor(queueParams) {
    if (!/^[a-zA-Z0-9-_]+$/.test(queueParams.key)) {
      throw new InvalidQueueNameError(
        "Queue names can only contain alphanumeric characters, dashes and underscores.",
      );
    }
    this.queueParams = queueParams;
  }

  push = missing("queues (Queue.push)");

  cancel = missing("queues (Queue.cancel)");

  getStats = missing("queues (Queue.getStats)");

  getJob(id) {
    return new JobProgress(id);
  }
}

export const appEvents = { publish: missing("app events (appEvents.publish)") };
