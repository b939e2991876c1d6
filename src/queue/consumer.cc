// SPDX-License-Identifier: Apache-2.0
#include "queue/consumer.h"

#include <fmt/format.h>

#include <exception>
#include <new>
#include <random>
#include <set>
#include <thread>
#include <utility>

#include "base/ids.h"
#include "base/log.h"
#include "base/point.h"

namespace collect::queue {
namespace {

constexpr int kStrikes = 3;
constexpr Duration kLongestRetryDelay = std::chrono::hours(1);
constexpr Duration kPauseForNextStage = std::chrono::milliseconds(10);

using Steady = std::chrono::steady_clock;

// Doubles with each failed attempt; up to a fifth more, so that a batch that failed together comes apart.
Duration retry_delay(Duration first, int attempts) {
  Duration delay = first;
  for (int i = 1; i < attempts && delay < kLongestRetryDelay; ++i) delay *= 2;
  delay = std::min(delay, std::max(first, kLongestRetryDelay));
  thread_local std::minstd_rand random{std::random_device{}()};
  return delay + Duration(std::uniform_int_distribution<Duration::rep>(0, delay.count() / 5)(random));
}

std::optional<Stage> next_stage(Stage stage) {
  switch (stage) {
    case Stage::inventory:
      return Stage::processing;
    case Stage::processing:
      return Stage::notification;
    case Stage::notification:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

// One claim, from the queue's hands back into them.
class Consumer::Batch {
 public:
  Batch(Consumer& consumer, const std::stop_token& stop)
      : consumer_(consumer),
        stop_(stop),
        held_(consumer.leases_.hold(consumer.options_.stage, consumer.worker_)),
        still_ours_([this] { return !over(); }) {}

  void work(const Claim& claim) {
    if (claim.adopted) {
      handle_adopted(claim.texts);
    } else {
      handle_together(claim.texts);
    }
    if (over() && end_ == End::lost) return drop();
    if (bury()) settle();
  }

 private:
  enum class End { none, lost, stopped };
  enum class Struck { no, yes };
  struct Fault {
    std::string reason;
  };
  struct Ended {};
  using Attempt = std::variant<std::vector<Outcome>, Fault, Ended>;

  // Sticky: once over, always over.
  bool over() {
    if (end_ == End::none && held_.lost()) end_ = End::lost;
    if (end_ == End::none && stop_.stop_requested() && Steady::now() >= consumer_.deadline()) {
      end_ = End::stopped;
    }
    return end_ != End::none;
  }

  void pause(const Failure& failure, std::string_view doing) {
    held_.show_life();
    consumer_.note_fault(doing, failure);
    const Duration time = consumer_.fault_.next();
    if (stop_.stop_requested()) {
      std::this_thread::sleep_for(std::min(time, Duration(std::chrono::milliseconds(200))));
    } else {
      consumer_.wait(time, stop_);
    }
  }

  // ------------------------------------------------------------ handling

  void handle_together(const std::vector<std::string>& texts) {
    std::vector<Message> messages;
    std::vector<const std::string*> sources;
    for (const auto& text : texts) {
      if (auto message = read(text)) {
        messages.push_back(*std::move(message));
        sources.push_back(&text);
      }
    }
    if (messages.empty()) return;
    auto attempt = try_until_over(messages);
    if (auto* outcomes = std::get_if<std::vector<Outcome>>(&attempt)) {
      for (std::size_t i = 0; i < messages.size(); ++i)
        apply(std::move(messages[i]), std::move((*outcomes)[i]));
    } else if (std::holds_alternative<Fault>(attempt)) {
      for (std::size_t i = 0; i < messages.size(); ++i) handle_alone(std::move(messages[i]), *sources[i]);
    } else {
      for (const auto* text : sources) settlement_.give_back.push_back(*text);
    }
  }

  // One of these may have killed the process that had them: even reading comes after the strike.
  void handle_adopted(const std::vector<std::string>& texts) {
    for (const auto& text : texts) {
      const auto strikes = strike(text);
      if (!strikes) {
        settlement_.give_back.push_back(text);
        continue;
      }
      if (*strikes >= kStrikes) {
        const auto id =
            dead_letter_of(text, "handling it ended the process, or outlived the lease, too often");
        condemned_.push_back(&text);
        if (id) may_be_done_.insert(*id);
        continue;
      }
      if (auto message = read(text)) handle_alone(*std::move(message), text, Struck::yes);
      absolve(text);
    }
  }

  std::optional<int> strike(const std::string& text) {
    const std::string attempt = random_hex(16);
    while (!over()) {
      auto strikes = consumer_.queue_.strike(consumer_.options_.stage, text, attempt);
      if (strikes) return *strikes;
      if (stop_.stop_requested()) end_ = End::stopped;
      pause(strikes.failure(), "strike");
    }
    return std::nullopt;
  }

  // A strike that stayed would count at the next end, and its text for ever.
  void absolve(const std::string& text) {
    do {
      const auto absolved = consumer_.queue_.absolve(consumer_.options_.stage, text);
      if (absolved) return;
      if (absolved.failure().kind != FailureKind::unavailable || stop_.stop_requested()) {
        return consumer_.note_fault("absolve", absolved.failure());
      }
      pause(absolved.failure(), "absolve");
    } while (!over());
  }

  void handle_alone(Message message, const std::string& text, Struck struck = Struck::no) {
    auto attempt = try_until_over({&message, 1}, struck == Struck::yes ? &text : nullptr);
    if (auto* outcomes = std::get_if<std::vector<Outcome>>(&attempt)) {
      apply(std::move(message), std::move(outcomes->front()));
    } else if (auto* fault = std::get_if<Fault>(&attempt)) {
      apply(std::move(message), Failed{std::move(fault->reason)});
    } else {
      settlement_.give_back.push_back(text);
    }
  }

  // Waits out faults that are not the messages'. While a stop is asked for there is no time for that. A text
  // that was struck is absolved meanwhile: who ends the process in an outage is not the message.
  Attempt try_until_over(std::span<const Message> messages, const std::string* struck = nullptr) {
    while (!over()) {
      auto result = handle_once(messages);
      if (result) {
        consumer_.note_recovery();
        return *std::move(result);
      }
      if (result.failure().kind != FailureKind::unavailable) {
        if (result.failure().kind == FailureKind::conflict && over()) return Ended{};
        log::warn("messages_not_handled", {{"stage", to_string(consumer_.options_.stage)},
                                           {"messages", messages.size()},
                                           {"reason", result.failure().message}});
        return Fault{result.failure().message};
      }
      if (stop_.stop_requested() && end_ == End::none) end_ = End::stopped;
      if (over()) break;
      if (struck != nullptr) absolve(*struck);
      pause(result.failure(), "handle");
      if (struck != nullptr && !strike(*struck)) break;
    }
    return Ended{};
  }

  Result<std::vector<Outcome>> handle_once(std::span<const Message> messages) {
    try {
      auto outcomes = consumer_.handler_.handle(messages, still_ours_);
      if (outcomes && outcomes->size() != messages.size()) {
        return internal("the handler gave " + std::to_string(outcomes->size()) + " outcomes for " +
                        std::to_string(messages.size()) + " messages");
      }
      if (outcomes) point(to_string(consumer_.options_.stage), "after_commit");
      return outcomes;
    } catch (const std::bad_alloc&) {
      // One message may need less than all of them. If there is not even that, it waits: it is not at fault.
      if (messages.size() > 1) return internal("there is not enough memory for all of them together");
      return unavailable("there is not enough memory");
    } catch (const std::exception& error) {
      return internal(error.what());
    }
  }

  std::optional<Message> read(const std::string& text) {
    point(to_string(consumer_.options_.stage), "before_reading", text);
    auto message = decode(text, consumer_.options_.max_attempts);
    if (message) return *std::move(message);
    dead_letter_of(text, message.failure().message);
    return std::nullopt;
  }

  // ------------------------------------------------------------ what becomes of them

  // The id under which it is buried.
  std::optional<MessageId> dead_letter_of(const std::string& text, std::string_view reason) {
    auto letter = dead_letter(text, consumer_.options_.stage, reason, consumer_.clock_.now());
    // It reads its own writing; were that not so, the letter itself would still be kept.
    if (auto message = decode(letter, consumer_.options_.max_attempts)) {
      dead_.push_back(*std::move(message));
      return dead_.back().id;
    }
    settlement_.dead.push_back(std::move(letter));
    return std::nullopt;
  }

  void apply(Message message, Outcome outcome) {
    if (auto* done = std::get_if<Done>(&outcome)) {
      made_at_.push_back(message.created_at);
      for (auto& next : done->onward) settlement_.onward.push_back(std::move(next));
      return;
    }
    ++failed_;
    const Time now = consumer_.clock_.now();
    Message next = after_failure(std::move(message), std::get<Failed>(outcome).reason, now);
    if (next.attempts >= next.max_attempts) {
      dead_.push_back(std::move(next));
    } else {
      const Duration delay = retry_delay(consumer_.options_.retry_delay, next.attempts);
      settlement_.delayed.push_back({encode(next), now + delay});
    }
  }

  // False: the batch stays claimed, for whoever adopts it.
  bool bury() {
    while (!dead_.empty()) {
      const auto buried = bury_once();
      if (buried) {
        for (const Message& message : std::exchange(dead_, {})) {
          const auto done = buried->find(message.id);
          if (done == buried->end() || !may_be_done_.contains(message.id)) {
            dead_.push_back(message);
          } else {
            apply(message, done->second);
          }
        }
        break;
      }
      if (buried.failure().kind != FailureKind::unavailable) {
        log::error("dead_letters_not_recorded", {{"stage", to_string(consumer_.options_.stage)},
                                                 {"messages", dead_.size()},
                                                 {"reason", buried.failure().message}});
        break;
      }
      if (held_.lost()) {
        drop();
        return false;
      }
      if (past_deadline()) return false;
      pause(buried.failure(), "bury");
    }
    for (const Message& message : dead_) settlement_.dead.push_back(encode(message));
    return true;
  }

  Result<std::map<MessageId, Done>> bury_once() {
    try {
      return consumer_.handler_.bury(dead_);
    } catch (const std::bad_alloc&) {
      return unavailable("there is not enough memory");
    } catch (const std::exception& error) {
      return internal(error.what());
    }
  }

  void settle() {
    point(to_string(consumer_.options_.stage), "before_settle");
    while (true) {
      const auto settled = consumer_.queue_.settle(consumer_.options_.stage, consumer_.worker_, settlement_);
      if (settled) {
        point(to_string(consumer_.options_.stage), "after_settle");
        consumer_.note_recovery();
        if (*settled != Settled::done) return drop();
        for (const auto* text : condemned_) absolve(*text);
        return count();
      }
      if (past_deadline()) return;
      pause(settled.failure(), "settle");
    }
  }

  bool past_deadline() const { return stop_.stop_requested() && Steady::now() >= consumer_.deadline(); }

  void count() {
    auto& counters = consumer_.counters_;
    counters.handled += made_at_.size();
    const Time now = consumer_.clock_.now();
    for (const Time made_at : made_at_) counters.message_time.observe(now - made_at);
    counters.failed += failed_;
    counters.retried += settlement_.delayed.size();
    counters.dead += settlement_.dead.size();
    counters.given_back += settlement_.give_back.size();
    bool rung[std::size(kStages)] = {};
    for (const auto& next : settlement_.onward) rung[static_cast<std::size_t>(next.stage)] = true;
    for (const Stage stage : kStages) {
      if (rung[static_cast<std::size_t>(stage)]) consumer_.wake_up_.ring(stage);
    }
  }

  void drop() {
    ++consumer_.counters_.lease_lost;
    log::warn("lease_lost",
              {{"stage", to_string(consumer_.options_.stage)}, {"worker", consumer_.worker_.text}});
  }

  Consumer& consumer_;
  const std::stop_token& stop_;
  const LeaseKeeper::Held held_;
  const StillOurs still_ours_;
  End end_ = End::none;
  Settlement settlement_;
  std::vector<Message> dead_;
  // Dead by their strikes. These stand until the letters are: another one in the claim may end the process
  // first.
  std::vector<const std::string*> condemned_;
  std::set<MessageId> may_be_done_;  // of these, those that can be read
  std::vector<Time> made_at_;        // of the messages that are done
  std::uint64_t failed_ = 0;
};

Consumer::Consumer(Queue& queue, Handler& handler, LeaseKeeper& leases, WakeUp& wake_up, const Clock& clock,
                   WorkerId worker, ConsumerOptions options)
    : queue_(queue),
      handler_(handler),
      leases_(leases),
      wake_up_(wake_up),
      clock_(clock),
      worker_(std::move(worker)),
      options_(options),
      idle_(options.poll_least, options.poll_most),
      fault_(options.fault_least, options.fault_most),
      outage_(fmt::format("{} stage of worker {}", to_string(options.stage), worker_.text)) {}

void Consumer::run(const std::stop_token& stop) {
  const std::stop_callback note_deadline(
      stop, [this] { deadline_ = (Steady::now() + options_.stop_grace).time_since_epoch().count(); });
  while (!stop.stop_requested()) {
    try {
      step(stop);
    } catch (const std::exception& error) {
      // The claim is still ours: the next step gets it again.
      note_fault("consume", internal(error.what()));
      wait(fault_.next(), stop);
    }
  }
}

void Consumer::step(const std::stop_token& stop) {
  if (std::exchange(had_work_, false)) let_next_stage_catch_up(stop);
  if (stop.stop_requested()) return;
  auto claim = queue_.claim(options_.stage, worker_, options_.limits);
  if (!claim) {
    note_fault("claim", claim.failure());
    return wait(fault_.next(), stop);
  }
  note_recovery();
  if (claim->texts.empty()) return wake_up_.wait(options_.stage, idle_.next(), stop);
  Batch batch(*this, stop);
  point(to_string(options_.stage), "after_claim");
  idle_.reset();
  had_work_ = true;
  // There may be more than fits one batch.
  if (claim->texts.size() >= options_.limits.messages) wake_up_.ring(options_.stage);
  const auto begin = Steady::now();
  batch.work(*claim);
  ++counters_.batches;
  const auto time = std::chrono::duration_cast<std::chrono::microseconds>(Steady::now() - begin);
  counters_.busy_microseconds += static_cast<std::uint64_t>(time.count());
  counters_.batch_time.observe(time);
}

// Only ever slows down: a next stage that stands still must not keep inventories from being stored.
void Consumer::let_next_stage_catch_up(const std::stop_token& stop) {
  const auto next = next_stage(options_.stage);
  if (!next || options_.most_ahead == 0) return;
  const auto until = Steady::now() + options_.longest_pause;
  while (!stop.stop_requested() && Steady::now() < until) {
    const auto depth = queue_.depth(*next);
    if (!depth || depth->ready <= options_.most_ahead) return;
    wait(kPauseForNextStage, stop);
  }
}

Steady::time_point Consumer::deadline() const {
  return Steady::time_point(Steady::duration(deadline_.load()));
}

void Consumer::wait(Duration time, const std::stop_token& stop) {
  std::unique_lock lock(pause_mutex_);
  pause_.wait_for(lock, stop, time, [] { return false; });
}

void Consumer::note_fault(std::string_view doing, const Failure& failure) {
  ++counters_.faults;
  outage_.began(fmt::format("{}: {}", doing, failure.message));
}

void Consumer::note_recovery() {
  fault_.reset();
  outage_.over();
}

}  // namespace collect::queue
