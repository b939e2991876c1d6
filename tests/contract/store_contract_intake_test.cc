// SPDX-License-Identifier: Apache-2.0
// IntakeStore, and HistoryStore as far as it shows what was taken in.
#include <atomic>
#include <chrono>
#include <thread>

#include "base/hash.h"
#include "contract/store_contract.h"

namespace collect::test {
namespace {

using inventory::Application;
using inventory::Arrival;
using inventory::IntakePlan;
using inventory::IntakeState;
using inventory::NewRecord;
using inventory::Outcome;
using inventory::RecordRef;
using testing::ElementsAre;
using testing::Pair;
using testing::SizeIs;

Application application(std::string module_id, std::string version = "1.0") {
  Application made;
  made.module_id = std::move(module_id);
  made.instance_of = "mail";
  made.name = "Mail";
  made.source = "ghcr.io/nethserver/mail";
  made.display_name = "Post";
  made.node_id = 1;
  made.node_label = "left";
  made.version = std::move(version);
  made.inventory_data = R"({"id": "mail1", "n": 1})";
  return made;
}

class IntakeContract : public StoreContract {
 protected:
  // A batch without records that only writes what inventories say.
  void write(std::vector<inventory::SystemUpdate> systems,
             std::vector<inventory::ApplicationSync> applications, std::int64_t now_seconds) {
    const auto done = stores_.intake.take_in({}, at(now_seconds), [&](const IntakeState&) {
      IntakePlan plan;
      plan.systems = systems;
      plan.applications = applications;
      return plan;
    });
    ASSERT_TRUE(succeeded(done));
  }
  void sync(std::string_view word, std::vector<Application> applications, std::int64_t seconds) {
    write({}, {{id_of(word), std::move(applications), at(seconds)}}, seconds);
  }
  // module|version|gone for each, in order.
  std::string applications() {
    return sql(
        "select module_id, version, case when deleted_at is null then '' else 'gone' end "
        "from applications order by module_id");
  }
};
INSTANTIATE_TEST_SUITE_P(Engines, IntakeContract, testing::ValuesIn(inventory_engines()), engine_name);

TEST_P(IntakeContract, StoresABatchAndTellsTheRecordsInTheirOrder) {
  add_systems({"a", "b"});
  auto batch = std::vector{arrival("m1", "b", R"({"n":1})", 10), arrival("m2", "a", R"({"n":2})", 11),
                           arrival("m3", "b", R"({"n":3})", 12)};
  batch[1].sender_time = at(5);
  IntakeState seen;
  const auto ids = stores_.intake.take_in(batch, at(20), [&](const IntakeState& state) {
    seen = state;
    return plan_all(batch);
  });
  ASSERT_TRUE(succeeded(ids));
  EXPECT_THAT(seen.systems, ElementsAre(Pair(testing::_, testing::Eq(std::nullopt)),
                                        Pair(testing::_, testing::Eq(std::nullopt))));
  EXPECT_TRUE(seen.processed.empty());
  ASSERT_THAT(*ids, SizeIs(3));
  EXPECT_LT((*ids)[0], (*ids)[2]);

  const auto a = stores_.history.latest(id_of("a"));
  ASSERT_TRUE(succeeded(a));
  ASSERT_TRUE(a->has_value());
  EXPECT_EQ((*a)->id, (*ids)[1]);
  EXPECT_EQ((*a)->system_id, id_of("a"));
  EXPECT_EQ((*a)->timestamp, at(11));
  EXPECT_EQ((*a)->sender_time, at(5));
  EXPECT_EQ((*a)->hash, to_hex(sha256(R"({"n":2})")));
  EXPECT_EQ((*a)->size_bytes, 7);
  EXPECT_EQ((*a)->processed_at, std::nullopt);
  EXPECT_FALSE((*a)->has_changes);
  EXPECT_EQ((*a)->created_at, at(20));
  EXPECT_EQ((*a)->updated_at, at(20));
  const auto b = stores_.history.latest(id_of("b"));
  ASSERT_TRUE(succeeded(b));
  EXPECT_EQ((*b)->id, (*ids)[2]);
  EXPECT_EQ((*b)->sender_time, std::nullopt);
  const auto document = stores_.history.document((*ids)[2]);
  ASSERT_TRUE(succeeded(document));
  EXPECT_TRUE(same_json(**document, R"({"n": 3})"));
}

TEST_P(IntakeContract, ShowsTheLatestRecordByTimeThenId) {
  add_systems({"a"});
  store({arrival("m1", "a", R"({"n":1})", 30), arrival("m2", "a", R"({"n":2})", 10)}, 40);
  const auto batch = std::vector{arrival("m3", "a", R"({"n":3})", 50)};
  (void)stores_.intake.take_in(batch, at(60), [&](const IntakeState& state) {
    const auto& latest = state.systems.at(id_of("a"));
    EXPECT_TRUE(latest.has_value());
    EXPECT_EQ(latest->timestamp, at(30));
    EXPECT_EQ(latest->hash, to_hex(sha256(R"({"n":1})")));
    EXPECT_EQ(latest->derived_hash, "derived");
    return IntakePlan{};
  });
}

TEST_P(IntakeContract, AnUnknownSystemIsAbsentAndADeletedOneIsThere) {
  add_systems({"a", "b"});
  systems::SystemChange removal;
  removal.remove = true;
  ASSERT_TRUE(succeeded(stores_.systems.change(id_of("b"), removal, at(1))));
  auto batch =
      std::vector{arrival("m1", "a", "{}", 10), arrival("m2", "b", "{}", 10), arrival("m3", "c", "{}", 10),
                  arrival("m4", "a", "{}", 10), arrival("m5", "a", "{}", 10)};
  batch[3].system_id = SystemId("no uuid, and ' \" \\ { , }");
  batch[4].system_id = SystemId(std::string("nul \0 and \xff", 11));
  int asked = 0;
  const auto done = stores_.intake.take_in(batch, at(20), [&](const IntakeState& state) {
    ++asked;
    EXPECT_THAT(state.systems, SizeIs(2));
    EXPECT_TRUE(state.systems.contains(id_of("a")));
    EXPECT_TRUE(state.systems.contains(id_of("b")));
    return IntakePlan{};
  });
  EXPECT_TRUE(succeeded(done));
  EXPECT_EQ(asked, 1);
}

TEST_P(IntakeContract, TheSameDocumentAgainMovesItsRecordOn) {
  add_systems({"a"});
  const auto ids = store({arrival("m1", "a", R"({"n":1})", 10)}, 11);
  const auto batch = std::vector{arrival("m2", "a", R"({"n":1})", 20), arrival("m3", "a", R"({"n":2})", 21),
                                 arrival("m4", "a", R"({"n":2})", 22)};
  const auto made = stores_.intake.take_in(batch, at(30), [&](const IntakeState&) {
    IntakePlan plan;
    plan.records.push_back({1, "derived", false});
    plan.touched = {{{ids[0], 0}, at(20)}, {{std::nullopt, 0}, at(22)}};
    plan.processed = {
        {batch[0].message_id, batch[0].system_id, Outcome::unchanged, RecordRef{ids[0], 0}, "", at(20)},
        {batch[2].message_id, batch[2].system_id, Outcome::unchanged, RecordRef{std::nullopt, 0}, "",
         at(22)}};
    return plan;
  });
  ASSERT_TRUE(succeeded(made));
  const auto records = stores_.history.records(id_of("a"), {}, 10);
  ASSERT_TRUE(succeeded(records));
  ASSERT_THAT(*records, SizeIs(2));
  EXPECT_EQ((*records)[0].id, made->front());
  EXPECT_EQ((*records)[0].timestamp, at(22));
  EXPECT_EQ((*records)[0].updated_at, at(30));
  EXPECT_EQ((*records)[1].timestamp, at(20));
  EXPECT_EQ((*records)[1].updated_at, at(30));
  EXPECT_EQ((*records)[1].created_at, at(11));
  const auto receipt = stores_.intake.receipt(id_of("a"), MessageId("m4"));
  ASSERT_TRUE(succeeded(receipt));
  ASSERT_TRUE(receipt->has_value());
  EXPECT_EQ((*receipt)->outcome, Outcome::unchanged);
  EXPECT_EQ((*receipt)->record_id, made->front());
  EXPECT_EQ((*receipt)->received_at, at(22));
}

TEST_P(IntakeContract, ARedeliveredMessageIsRecognized) {
  add_systems({"a"});
  store({arrival("m1", "a", R"({"n":1})", 10)}, 11);
  const auto batch = std::vector{arrival("m1", "a", R"({"n":1})", 10), arrival("m2", "a", R"({"n":2})", 12)};
  const auto done = stores_.intake.take_in(batch, at(20), [](const IntakeState& state) {
    EXPECT_THAT(state.processed, ElementsAre(MessageId("m1")));
    return IntakePlan{};
  });
  EXPECT_TRUE(succeeded(done));
}

TEST_P(IntakeContract, AReturnToAnEarlierStateIsARecordOfItsOwn) {
  add_systems({"a"});
  store({arrival("m1", "a", R"({"n":1})", 10)}, 11);
  store({arrival("m2", "a", R"({"n":2})", 20)}, 21);
  store({arrival("m3", "a", R"({"n":1})", 30), arrival("m4", "a", R"({"n":1})", 31)}, 32);
  EXPECT_THAT(*stores_.history.records(id_of("a"), {}, 10), SizeIs(4));
}

TEST_P(IntakeContract, AFailureLeavesNothingBehind) {
  add_systems({"a"});
  const auto batch = std::vector{arrival("m1", "a", R"({"n":1})", 10), arrival("m2", "a", R"({"n":2})", 11)};
  const auto refused = stores_.intake.take_in(batch, at(20), [&](const IntakeState&) {
    auto plan = plan_all(batch);
    plan.processed[1].record = RecordRef{std::nullopt, 0};
    plan.applications.push_back({id_of("a"), {application("mail1")}, at(10)});
    plan.applications[0].applications[0].inventory_data = "no JSON";
    return plan;
  });
  // Not every engine looks into that column; one that does must not write half of the batch.
  if (refused.ok()) {
    EXPECT_EQ(GetParam().name, "Sqlite");
    return;
  }
  EXPECT_EQ(kind_of(refused), "invalid");
  EXPECT_EQ(refused.failure().message.find("no JSON"), std::string::npos) << refused.failure().message;
  EXPECT_THAT(*stores_.history.records(id_of("a"), {}, 10), SizeIs(0));
  EXPECT_EQ(*stores_.intake.receipt(id_of("a"), MessageId("m1")), std::nullopt);
  EXPECT_EQ(sql("select count(*) from applications"), "0\n");
  EXPECT_THAT(store(batch, 30), SizeIs(2));
}

TEST_P(IntakeContract, AnExceptionOfTheCallerLeavesNothingBehind) {
  add_systems({"a"});
  const auto batch = std::vector{arrival("m1", "a", R"({"n":1})", 10)};
  EXPECT_THROW((void)stores_.intake.take_in(
                   batch, at(20), [](const IntakeState&) -> IntakePlan { throw std::logic_error("bug"); }),
               std::logic_error);
  EXPECT_THAT(store(batch, 30), SizeIs(1));
}

TEST_P(IntakeContract, TwoBatchesOfASystemFollowEachOther) {
  add_systems({"a", "b"});
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  const auto work = [&](int worker) {
    for (int round = 0; round < 10; ++round) {
      const auto name = std::to_string(worker) + "-" + std::to_string(round);
      const std::string first = worker == 0 ? "a" : "b";
      const std::string second = worker == 0 ? "b" : "a";
      const auto batch = std::vector{arrival("x" + name, first, R"({"n":")" + name + "\"}", round),
                                     arrival("y" + name, second, R"({"n":")" + name + "\"}", round)};
      const auto done = stores_.intake.take_in(batch, at(round), [&](const IntakeState& state) {
        most = std::max(most.load(), ++inside);
        std::size_t stored = 0;
        for (const auto& [id, latest] : state.systems) stored += latest.has_value() ? 1 : 0;
        EXPECT_TRUE(stored == 0 || stored == 2);  // never half of the other's batch
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        --inside;
        return plan_all(batch);
      });
      EXPECT_TRUE(succeeded(done));
    }
  };
  std::thread other([&] { work(1); });
  work(0);
  other.join();
  EXPECT_EQ(most, 1);
  EXPECT_THAT(*stores_.history.records(id_of("a"), {}, 100), SizeIs(20));
}

TEST_P(IntakeContract, ApplicationsThatAreKnownToBeRightStayAsTheyAre) {
  add_systems({"a"});
  sync("a", {application("mail1"), application("mail2"), application("mail3")}, 10);
  write({}, {{id_of("a"), {application("mail2", "9")}, at(20), {"mail1"}}}, 20);
  EXPECT_EQ(sql("select module_id, version from applications where deleted_at is null order by module_id"),
            "mail1|1.0\nmail2|9\n");
  EXPECT_EQ(sql("select count(*) from applications where deleted_at is not null"), "1\n");

  // Where nothing has vanished, nothing is looked for; another system of the batch is not touched by that.
  add_systems({"b"});
  sync("b", {application("web1"), application("web2")}, 30);
  write({},
        {{id_of("a"), {application("mail2", "10")}, at(40), {}, true}, {id_of("b"), {}, at(40), {"web1"}}},
        40);
  EXPECT_EQ(sql("select module_id, version from applications where deleted_at is null order by module_id"),
            "mail1|1.0\nmail2|10\nweb1|1.0\n");
}

TEST_P(IntakeContract, ALateRecordIsSettledAtOnce) {
  add_systems({"a"});
  const auto batch = std::vector{arrival("m1", "a", R"({"n":1})", 10)};
  const auto made = stores_.intake.take_in(batch, at(20), [&](const IntakeState&) {
    auto plan = plan_all(batch);
    plan.records[0].late = true;
    return plan;
  });
  ASSERT_TRUE(succeeded(made));
  EXPECT_EQ((*stores_.history.latest(id_of("a")))->processed_at, at(20));
  const auto receipt = stores_.intake.receipt(id_of("a"), MessageId("m1"));
  EXPECT_TRUE((*receipt)->compared);
  EXPECT_EQ((*receipt)->change_count, 0);
  EXPECT_THAT(*stores_.comparison.unfinished(at(1000), 10), SizeIs(0));
}

TEST_P(IntakeContract, ReceiptsAreForTheirOwnSystemOnly) {
  add_systems({"a", "b"});
  const auto ids = store({arrival("m1", "a", R"({"n":1})", 10)}, 11);
  const auto mine = stores_.intake.receipt(id_of("a"), MessageId("m1"));
  ASSERT_TRUE(succeeded(mine));
  ASSERT_TRUE(mine->has_value());
  EXPECT_EQ((*mine)->outcome, Outcome::stored);
  EXPECT_FALSE((*mine)->compared);
  EXPECT_EQ((*mine)->record_id, ids[0]);
  EXPECT_EQ((*mine)->received_at, at(10));
  EXPECT_EQ(*stores_.intake.receipt(id_of("b"), MessageId("m1")), std::nullopt);
  EXPECT_EQ(*stores_.intake.receipt(id_of("a"), MessageId("m2")), std::nullopt);
  const auto odd = stores_.intake.receipt(SystemId("x"), MessageId(std::string("\0\xff", 2)));
  ASSERT_TRUE(succeeded(odd));
  EXPECT_EQ(*odd, std::nullopt);
}

TEST_P(IntakeContract, ADeadMessageHasAReceiptAndMayComeBackToLife) {
  add_systems({"a"});
  const inventory::ProcessedMessage dead{MessageId("m1"), id_of("a"),     Outcome::dead,
                                         std::nullopt,    "no inventory", at(10)};
  for (const Time when : {at(20), at(21)}) {
    const auto booked = stores_.intake.book_dead({&dead, 1}, when);
    ASSERT_TRUE(succeeded(booked));
    EXPECT_THAT(*booked, testing::IsEmpty());
  }
  auto receipt = stores_.intake.receipt(id_of("a"), MessageId("m1"));
  ASSERT_TRUE(receipt->has_value());
  EXPECT_EQ((*receipt)->outcome, Outcome::dead);
  EXPECT_EQ((*receipt)->reason, "no inventory");
  EXPECT_FALSE((*receipt)->compared);
  EXPECT_EQ((*receipt)->record_id, std::nullopt);

  const auto batch = std::vector{arrival("m1", "a", R"({"n":1})", 10)};
  const auto retried = stores_.intake.take_in(batch, at(30), [&](const IntakeState& state) {
    EXPECT_TRUE(state.processed.empty());
    return plan_all(batch);
  });
  ASSERT_TRUE(succeeded(retried));
  auto others = dead;
  others.message_id = MessageId("m2");
  const auto late = stores_.intake.book_dead(std::vector{dead, others}, at(40));
  ASSERT_TRUE(succeeded(late));
  EXPECT_THAT(*late, testing::ElementsAre(MessageId("m1"))) << "it has its effects";
  receipt = stores_.intake.receipt(id_of("a"), MessageId("m1"));
  EXPECT_EQ((*receipt)->outcome, Outcome::stored);
  EXPECT_EQ((*receipt)->record_id, retried->front());
}

TEST_P(IntakeContract, OldMessagesAreForgottenInSteps) {
  add_systems({"a"});
  store({arrival("m1", "a", R"({"n":1})", 1), arrival("m2", "a", R"({"n":2})", 2)}, 10);
  store({arrival("m3", "a", R"({"n":3})", 3)}, 20);
  EXPECT_EQ(*stores_.intake.forget_messages(at(20), 1), 1U);
  EXPECT_EQ(*stores_.intake.forget_messages(at(20), 10), 1U);
  EXPECT_EQ(*stores_.intake.forget_messages(at(20), 10), 0U);
  EXPECT_EQ(*stores_.intake.receipt(id_of("a"), MessageId("m2")), std::nullopt);
  EXPECT_NE(*stores_.intake.receipt(id_of("a"), MessageId("m3")), std::nullopt);
}

TEST_P(IntakeContract, FactsFillTheSystem) {
  add_systems({"a"});
  inventory::SystemFacts facts;
  facts.name = "Office";
  facts.fqdn = "office.example.org";
  facts.version = "1.2";
  facts.type = "ns8";
  facts.ipv4_address = "192.0.2.7";
  facts.ipv6_address = "2001:db8::7";
  write({{id_of("a"), at(10), facts}}, {}, 11);
  auto system = find("a");
  EXPECT_EQ(system.name, "Office");
  EXPECT_EQ(system.fqdn, "office.example.org");
  EXPECT_EQ(system.version, "1.2");
  EXPECT_EQ(system.type, "ns8");
  EXPECT_EQ(system.ipv4_address, "192.0.2.7");
  EXPECT_EQ(system.ipv6_address, "2001:db8::7");
  EXPECT_EQ(system.last_inventory_at, at(10));
  EXPECT_EQ(system.updated_at, at(11));

  // The same again, and less of it: only the inventory's time moves.
  write({{id_of("a"), at(20), facts}}, {}, 21);
  write({{id_of("a"), at(30), inventory::SystemFacts{}}}, {}, 31);
  write({{id_of("a"), at(40), std::nullopt}}, {}, 41);
  system = find("a");
  EXPECT_EQ(system.last_inventory_at, at(40));
  EXPECT_EQ(system.updated_at, at(11));
  EXPECT_EQ(system.fqdn, "office.example.org");

  // A name that stands is somebody's choice; an older inventory does not turn back the time.
  inventory::SystemFacts renamed;
  renamed.name = "Other";
  write({{id_of("a"), at(5), renamed}}, {}, 51);
  system = find("a");
  EXPECT_EQ(system.name, "Office");
  EXPECT_EQ(system.updated_at, at(11));
  EXPECT_EQ(system.last_inventory_at, at(40));

  inventory::SystemFacts moved;
  moved.ipv4_address = "192.0.2.8";
  inventory::SystemFacts moved_again;
  moved_again.ipv4_address = "192.0.2.9";
  write({{id_of("a"), at(60), moved}, {id_of("a"), at(61), moved_again}}, {}, 62);
  system = find("a");
  EXPECT_EQ(system.ipv4_address, "192.0.2.9");
  EXPECT_EQ(system.updated_at, at(62));
  EXPECT_EQ(system.last_inventory_at, at(61));
}

TEST_P(IntakeContract, AnEmptyNameCountsAsNone) {
  add_systems({"a", "b"});
  sql("update systems set name = '' where system_key = 'NETH-a'");
  inventory::SystemFacts facts;
  facts.name = "Office";
  write({{id_of("a"), at(10), facts}, {id_of("b"), at(10), facts}}, {}, 11);
  EXPECT_EQ(find("a").name, "Office");
  EXPECT_EQ(find("b").name, "Office");
}

TEST_P(IntakeContract, ApplicationsComeChangeGoAndReturn) {
  add_systems({"a", "b"});
  sync("b", {application("mail1")}, 5);
  sync("a", {application("mail1"), application("web1")}, 10);
  EXPECT_EQ(sql("select count(*) from applications where module_id = 'web1' and status = 'unassigned' "
                "and organization_id = 'org-1' and organization_type = 'customer' and instance_of = 'mail' "
                "and name = 'Mail' and source = 'ghcr.io/nethserver/mail' and display_name = 'Post' "
                "and node_id = 1 and node_label = 'left' and url is null and is_user_facing "
                "and first_seen_at = created_at and updated_at = created_at"),
            "1\n");
  EXPECT_EQ(sql("select id from applications where module_id = 'web1'"), id_of("a").text() + "-web1\n");

  // Only what differs is written.
  sync("a", {application("mail1"), application("web1", "2.0")}, 20);
  EXPECT_EQ(sql("select module_id, case when updated_at = created_at then 'same' else 'moved' end from "
                "applications "
                "where deleted_at is null order by module_id, updated_at"),
            "mail1|same\nmail1|same\nweb1|moved\n");

  sync("a", {application("mail1")}, 30);
  EXPECT_EQ(applications(), "mail1|1.0|\nmail1|1.0|\nweb1|2.0|gone\n");
  sync("a", {application("mail1"), application("web1", "2.0")}, 40);
  EXPECT_EQ(applications(), "mail1|1.0|\nmail1|1.0|\nweb1|2.0|\n");
  EXPECT_EQ(sql("select count(*) from applications where module_id = 'web1' and first_seen_at = created_at "
                "and updated_at > created_at"),
            "1\n");
  sync("a", {}, 50);
  EXPECT_EQ(sql("select count(*) from applications where deleted_at is null"), "1\n");
}

TEST_P(IntakeContract, WhatPeopleSetOnApplicationsStays) {
  add_systems({"a"});
  sync("a", {application("mail1")}, 10);
  sql("update applications set status = 'assigned', organization_id = 'org-9', notes = 'ours'");
  auto changed = application("mail1", "3.0");
  changed.display_name = std::nullopt;
  changed.node_id = std::nullopt;
  changed.is_user_facing = false;
  changed.url = "https://mail.example.org";
  changed.inventory_data = R"({"n": 2})";
  sync("a", {changed}, 20);
  EXPECT_EQ(
      sql("select status, organization_id, notes, version, display_name, node_id, url from applications "
          "where not is_user_facing"),
      "assigned|org-9|ours|3.0|||https://mail.example.org\n");
}

TEST_P(IntakeContract, DocumentsComeBackEqual) {
  add_systems({"a"});
  const std::vector<std::string> documents = {
      R"({"big": 123456789012345678901234567890, "small": -9223372036854775809, "e": 1e308, "tiny": 1.5e-300})",
      R"({"text": "quote \" backslash \\ tab \t é 😀 \ud83d\ude00", "empty": "", "": [], "deep": [[[[{}]]]]})",
      R"({ "z" : 1.0 , "a" : [ true , false , null ] , "n" : -0.0 })", "{}"};
  std::vector<Arrival> batch;
  for (const auto& document : documents) {
    batch.push_back(arrival("m" + std::to_string(batch.size()), "a", document, 10));
  }
  const auto ids = store(batch, 20);
  ASSERT_THAT(ids, SizeIs(documents.size()));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto back = stores_.history.document(ids[i]);
    ASSERT_TRUE(succeeded(back));
    EXPECT_TRUE(same_json(**back, documents[i])) << **back;
  }
}

TEST_P(IntakeContract, BigDocumentsComeBackEqual) {
  add_systems({"a"});
  std::string big = R"({"items": [)";
  for (int i = 0; big.size() < 5000000; ++i) {
    big += (i == 0 ? "" : ",") + std::string(R"({"id": )") + std::to_string(i) + R"(, "word": ")" +
           to_hex(sha256(std::to_string(i))) + "\"}";
  }
  big += "]}";
  const auto ids =
      store({arrival("m1", "a", big, 10), arrival("m2", "a", "{}", 11), arrival("m3", "a", big, 12)}, 20);
  ASSERT_THAT(ids, SizeIs(3));
  EXPECT_TRUE(same_json(**stores_.history.document(ids[2]), big));
  EXPECT_TRUE(same_json(**stores_.history.document(ids[1]), "{}"));
}

TEST_P(IntakeContract, RecordsComeNewestFirstAndInPages) {
  add_systems({"a", "b"});
  const auto ids = store({arrival("m1", "a", R"({"n":1})", 30), arrival("m2", "a", R"({"n":2})", 10),
                          arrival("m3", "b", R"({"n":3})", 40), arrival("m4", "a", R"({"n":4})", 30)},
                         50);
  const auto first = stores_.history.records(id_of("a"), {}, 2);
  ASSERT_TRUE(succeeded(first));
  ASSERT_THAT(*first, SizeIs(2));
  EXPECT_EQ((*first)[0].id, ids[3]);
  EXPECT_EQ((*first)[1].id, ids[0]);
  const auto second = stores_.history.records(id_of("a"), {.before = ids[0]}, 2);
  ASSERT_THAT(*second, SizeIs(1));
  EXPECT_EQ(second->front().id, ids[1]);
  EXPECT_THAT(*stores_.history.records(SystemId("nobody"), {}, 2), SizeIs(0));
  EXPECT_EQ(*stores_.history.latest(id_of("c")), std::nullopt);
  EXPECT_EQ(*stores_.history.document(RecordId{987654321}), std::nullopt);
}

}  // namespace
}  // namespace collect::test
