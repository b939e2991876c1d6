// SPDX-License-Identifier: Apache-2.0
#include "journey/appliance.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace collect::test {

using std::chrono::steady_clock;

namespace {

ReceiptState state_of(const HttpResponse& answer) {
  const auto document = parsed(answer.body);
  const json::Value& data = *document.root().find("data");
  return {text_of(data, "status"), text_of(data, "processed") == "true", text_of(data, "record_id"),
          text_of(data, "change_count"), text_of(data, "reason")};
}

}  // namespace

Appliance::Appliance(const Service& service, Login login, const std::vector<int>& doors)
    : login_(std::move(login)) {
  if (doors.empty()) doors_.emplace_back(service.port());
  for (const int port : doors) doors_.emplace_back(port);
  for (HttpClient& door : doors_) door.basic_auth(login_.key, login_.secret);
}

HttpResponse Appliance::post(std::string_view body, const HttpHeaders& headers) {
  ++posts_;
  return http().post("/api/systems/inventory", body, headers);
}

std::string Appliance::accept(std::string_view body, const HttpHeaders& headers) {
  const HttpResponse answer = post(body, headers);
  if (answer.status != 202) {
    throw std::runtime_error("expected 202, got " + std::to_string(answer.status) + ": " + answer.body);
  }
  return text_of(*parsed(answer.body).root().find("data"), "receipt");
}

std::string Appliance::insist(std::string_view body, steady_clock::time_point stop_at) {
  while (steady_clock::now() < stop_at) {
    HttpResponse answer;
    const auto posted = steady_clock::now();
    try {
      answer = post(body);
      const auto took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - posted);
      slowest_ = std::max(slowest_.load(), took);
    } catch (const std::runtime_error&) {
      ++unanswered_;
      http().close();
      next_door();
      sleep_for(milliseconds(20));
      continue;
    }
    next_door();
    if (answer.status == 202) {
      ++accepted_;
      return text_of(*parsed(answer.body).root().find("data"), "receipt");
    }
    if (answer.status != 503) {
      throw std::runtime_error("expected 202 or 503, got " + std::to_string(answer.status) + ": " +
                               answer.body);
    }
    if (answer.header("Retry-After").empty())
      throw std::runtime_error("503 without Retry-After: " + answer.body);
    ++refused_;
    sleep_for(milliseconds(20));
  }
  throw std::runtime_error("an inventory was not accepted in time");
}

HttpResponse Appliance::ask(const std::string& receipt) {
  HttpResponse answer = http().get("/api/systems/inventory/receipts/" + receipt);
  if (answer.status != 200 && answer.status != 503) {
    throw std::runtime_error("receipt " + receipt + ": got " + std::to_string(answer.status) + ": " +
                             answer.body);
  }
  return answer;
}

ReceiptState Appliance::receipt(const std::string& id) {
  const HttpResponse answer = ask(id);
  if (answer.status != 200) throw std::runtime_error("receipt " + id + ": " + answer.body);
  return state_of(answer);
}

void Appliance::wait_processed(const std::vector<std::string>& receipts, milliseconds timeout) {
  const auto stop_at = steady_clock::now() + timeout;
  for (const std::string& id : receipts) {
    for (;;) {
      const HttpResponse answer = ask(id);
      if (answer.status == 200) {
        const ReceiptState state = state_of(answer);
        if (state.processed || state.status == "dead") break;
      }
      if (steady_clock::now() > stop_at) {
        throw std::runtime_error("receipt " + id + " is still not processed: " + answer.body);
      }
      sleep_for(milliseconds(5));
    }
  }
}

std::string Appliance::report(std::string_view body) {
  std::string id = accept(body);
  wait_processed({id});
  return id;
}

std::vector<std::string> backup_ids(Appliance& appliance) {
  const auto answer = appliance.http().get("/api/systems/backups");
  EXPECT_EQ(answer.status, 200) << answer.body;
  const auto document = parsed(answer.body);
  std::vector<std::string> ids;
  for (const auto& each : document.root().find("data")->find("backups")->elements)
    ids.push_back(text_of(each, "id"));
  return ids;
}

std::vector<std::string> backup_contents(Appliance& appliance) {
  std::vector<std::string> contents;
  for (const std::string& id : backup_ids(appliance)) {
    const auto answer = appliance.http().get("/api/systems/backups/" + id);
    EXPECT_EQ(answer.status, 200) << answer.body;
    contents.push_back(answer.body);
  }
  return contents;
}

std::string labelled_inventory(std::string_view label, std::size_t padding) {
  return R"({"$schema":"https://schema.nethserver.org/facts/2022-12.json","uuid":"6f9a2c1e-0b7d-4c55-9d43-2f1f5b1f0a11",)"
         R"("installation":"nethsecurity","facts":{"padding":")" +
         std::string(padding, 'x') + R"(","label":")" + std::string(label) + R"("}})";
}

}  // namespace collect::test
