// SPDX-License-Identifier: Apache-2.0
// Mutated requests of A, from the raw head to the bytes that arrive upstream, where somebody answers with
// what is B's whenever he can. COLLECT_FUZZ_CASES: how many (10,000); COLLECT_TEST_SEED: which.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdlib>
#include <iostream>
#include <map>
#include <random>

#include "alertmanager/proxy_for_test.h"
#include "base/log.h"
#include "proxy_oracle.h"

namespace collect::alertmanager {
namespace {

using Random = std::mt19937_64;

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr || *text == '\0' ? otherwise : std::strtoull(text, nullptr, 10);
}

std::size_t below(Random& random, std::size_t end) {
  return std::uniform_int_distribution<std::size_t>(0, end - 1)(random);
}
bool one_in(Random& random, std::size_t times) {
  return below(random, times) == 0;
}
template <class List>
std::string any_of(Random& random, const List& list) {
  return std::string(list[below(random, std::size(list))]);
}

// ---------------------------------------------------------------- requests

struct Case {
  std::string method, path, query, headers, body;
};

const std::string kA(kKeyA);
const std::string kB(kKeyB);
const std::string kIdA(kSilenceOfA);
const std::string kIdB(kSilenceOfB);

Case valid_case(Random& random) {
  const std::string prefix =
      one_in(random, 2) ? "/api/services/mimir/alertmanager/api/v2/" : "/services/mimir/alertmanager/api/v2/";
  const std::string alerts[] = {
      R"([{"labels":{"alertname":"DiskFull","severity":"critical"}}])",
      R"([{"labels":{"alertname":"A","system_key":")" + kB +
          R"(","system_id":"id-b"},"annotations":{"s":"{{.alertname}}"},"startsAt":"2026-01-02T03:04:05.678Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://vm/x"}])",
      R"([{"status":"firing","fingerprint":"00ff","labels":{"alertname":"B"},"annotations":{}},{"labels":{"alertname":"C"},"annotations":{"n":5}}])"};
  const std::string times =
      R"("startsAt":"2026-01-02T03:00:00Z","endsAt":"2026-01-02T04:00:00Z","createdBy":"me","comment":"c")";
  const std::string matcher = R"({"name":"alertname","value":"X","isRegex":false,"isEqual":true})";
  const std::string foreign = R"({"name":"system_key","value":")" + kB + R"(","isRegex":false})";
  const std::string silences[] = {
      R"({"matchers":[)" + matcher + "]," + times + "}",
      R"({"id":")" + kIdA + R"(","matchers":[)" + matcher + "," + foreign + "]," + times + "}",
      R"({"id":")" + kIdB + R"(","matchers":[)" + matcher + "]," + times + "}",
      R"({"matchers":[{"name":"system_key","value":".*","isRegex":true},)" + matcher + "]," + times +
          ",\"x\":{}}"};
  const std::string queries[] = {"", "active=true&silenced=false&filter=severity%3Dcritical",
                                 "filter=%7Ba%3D%22b%22%2Csystem_key%3D~%22.%2A%22%7D",
                                 "filter=system_key%3D%22" + kB + "%22&receiver=all",
                                 "filter=a=b&filter=c!~%22d|e%22"};
  switch (below(random, 8)) {
    case 0:
    case 1:
      return {"POST", prefix + "alerts", "", "", any_of(random, alerts)};
    case 2:
    case 3:
      return {"POST", prefix + "silences", "", "", any_of(random, silences)};
    case 4:
      return {"GET", prefix + "alerts", any_of(random, queries), "", ""};
    case 5:
      return {"GET", prefix + "silences", any_of(random, queries), "", ""};
    default: {
      const std::string by_id = one_in(random, 2) ? "silence/" : "silences/";
      return {one_in(random, 2) ? "GET" : "DELETE", prefix + by_id + (one_in(random, 2) ? kIdA : kIdB), "",
              "", ""};
    }
  }
}

const std::string kBodyParts[] = {R"("system_key":")" + kB + "\"",
                                  R"(,"system_key":")" + kB + "\"",
                                  R"("system\u005fkey":")" + kB + "\",",
                                  R"(,"labels":{"alertname":"X","system_key":")" + kB + "\"}",
                                  R"("Labels":{"system_key":")" + kB + "\"},",
                                  R"("LABELS":)",
                                  R"("matchers":[],)",
                                  R"("Matchers":[{"name":"system_key","value":".*","isRegex":true}],)",
                                  R"({"name":"system_key","value":".*","isRegex":true},)",
                                  R"(,{"name":"system_key","value":")" + kB + R"(","isRegex":false})",
                                  R"("id":")" + kIdB + "\",",
                                  R"("ID":")" + kIdB + "\",",
                                  R"("name":"system_key",)",
                                  R"("isEqual":false,)",
                                  R"("isRegex":true,)",
                                  "}{",
                                  "][",
                                  "[]",
                                  "{}",
                                  "]",
                                  "}",
                                  "[",
                                  "{",
                                  ",",
                                  ":",
                                  "\"",
                                  "\\",
                                  "\\u0000",
                                  "\\ud800",
                                  "null",
                                  "true",
                                  "0",
                                  "-1e999",
                                  "\"x\":1,",
                                  "/*",
                                  "//\n",
                                  "'",
                                  "{{.system_key}}",
                                  "{{",
                                  "}}",
                                  "\xff",
                                  std::string(1, '\0'),
                                  "\n",
                                  " ",
                                  "\xef\xbb\xbf",
                                  "0001-01-01T00:00:00Z",
                                  "9999-12-31T23:59:59Z",
                                  kA,
                                  kB,
                                  kIdA,
                                  kIdB,
                                  "system_key",
                                  "system_id",
                                  "organization_id"};
const std::string kPathParts[] = {
    "/",       "//",       "/..",     "/.",     "..",  "%2e%2e", "%2f",
    "%2F",     "%5c",      "\\",      ";",      "%00", "%0d%0a", "%20",
    "%",       "?",        "#",       "%3f",    "%23", "alerts", "silences",
    "silence", "silence/", "/groups", "status", kIdA,  kIdB,     "/silence/" + kIdB,
    "%252e",   "v1",       "{id}"};
const std::string kQueryParts[] = {"&",
                                   "=",
                                   "filter=",
                                   "&filter=system_key=" + kB,
                                   "&filter=system_key%3D~%22.%2a%22",
                                   "&filter={system_key!=%22x%22}",
                                   "&filter=a%3D%22%22%2Csystem_key%3D~%22.*",
                                   "%22",
                                   "%5c",
                                   "%2C",
                                   ",",
                                   "{",
                                   "}",
                                   "%7B",
                                   "%7D",
                                   "~",
                                   "!",
                                   "+",
                                   "%0a",
                                   "%00",
                                   "%ff",
                                   "%",
                                   ";filter=system_key=x",
                                   "&Filter=x",
                                   "&filter[]=x",
                                   "system_key",
                                   "%73ystem_key",
                                   "&active=true",
                                   "&active=maybe",
                                   "&receiver=(",
                                   "&receiver=.*",
                                   "\\",
                                   "\"",
                                   "=~",
                                   "!=",
                                   "%c2%a0",
                                   kB};
const std::string kHeaderLines[] = {"Content-Encoding: gzip\r\n",
                                    "Content-Encoding: identity\r\n",
                                    "Content-Encoding: br\r\n",
                                    "X-Scope-OrgID: org-2\r\n",
                                    "x-scope-orgid: org-1|org-2\r\n",
                                    "Transfer-Encoding: chunked\r\n",
                                    "Content-Length: 0\r\n",
                                    "Host: y\r\n",
                                    "Authorization: Bearer x\r\n",
                                    "X-Forwarded-For: 1.2.3.4\r\n",
                                    "Content-Type: text/plain\r\n",
                                    "Cookie: a=b\r\n",
                                    "X-HTTP-Method-Override: DELETE\r\n",
                                    "Expect: 100-continue\r\n",
                                    "A: b\n c\r\n",
                                    "Connection: close\r\n",
                                    "X:\r\n"};
const std::string kMethods[] = {"GET", "POST", "DELETE", "PUT", "HEAD", "PATCH", "OPTIONS", "get"};

template <class Parts>
void mutate(Random& random, std::string& text, const Parts& parts) {
  const std::size_t at = below(random, text.size() + 1);
  switch (below(random, 9)) {
    case 0:
      if (at < text.size()) text[at] = static_cast<char>(below(random, 256));
      return;
    case 1:
      text.erase(at, 1 + below(random, 8));
      return;
    case 2:
      text.insert(at, text.substr(below(random, text.size() + 1), 1 + below(random, 64)));
      return;
    case 3:
      if (at < text.size()) text[at] = static_cast<char>(text[at] ^ 0x20);
      return;
    case 4:
      text.insert(at, 1, static_cast<char>(below(random, 256)));
      return;
    case 5:
      if (const auto found = text.find(kA); found != std::string::npos) text.replace(found, kA.size(), kB);
      return;
    default:
      text.insert(at, any_of(random, parts));
  }
}

// One that fits at a place where the grammar has room, so that many mutants stay valid JSON.
void graft(Random& random, std::string& body) {
  static const std::string kMembers[] = {R"("system_key":")" + kB + "\",",
                                         R"("Labels":{"system_key":")" + kB + "\"},",
                                         R"("labels":{"alertname":"X","system_key":")" + kB + "\"},",
                                         R"("id":")" + kIdB + "\",",
                                         R"("id":")" + kIdA + "\",",
                                         R"("Id":")" + kIdB + "\",",
                                         R"("name":"system_key",)",
                                         R"("Name":"system_key",)",
                                         R"("status":"firing",)",
                                         R"("x":{"y":[{"z":1}]},)",
                                         R"("isEqual":false,)",
                                         R"("isRegex":true,)",
                                         R"("value":".*",)"};
  std::vector<std::size_t> places;
  for (std::size_t at = body.find('{'); at != std::string::npos; at = body.find('{', at + 1)) {
    if (at + 1 < body.size() && body[at + 1] == '"') places.push_back(at + 1);
  }
  if (!places.empty()) body.insert(places[below(random, places.size())], any_of(random, kMembers));
}

std::string gzipped(std::string text) {
  z_stream stream{};
  deflateInit2(&stream, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(compressBound(text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

Case any_case(Random& random) {
  Case made = valid_case(random);
  for (std::size_t left = below(random, 4); left > 0; --left) {
    switch (below(random, 8)) {
      case 0:
        mutate(random, made.path, kPathParts);
        break;
      case 1:
        if (one_in(random, 2)) {
          made.query += any_of(random, kQueryParts);
        } else {
          mutate(random, made.query, kQueryParts);
        }
        break;
      case 2:
        made.headers += any_of(random, kHeaderLines);
        break;
      case 3:
        if (one_in(random, 4)) made.method = any_of(random, kMethods);
        break;
      case 4:
        if (!made.body.empty()) mutate(random, made.body, kBodyParts);
        break;
      case 5:
        if (one_in(random, 4)) made.body += valid_case(random).body;
        break;
      default:
        graft(random, made.body);
    }
  }
  if (!made.body.empty() && one_in(random, 8)) {
    made.body = gzipped(made.body);
    made.headers += "Content-Encoding: gzip\r\n";
    if (one_in(random, 4)) mutate(random, made.body, kBodyParts);
  }
  return made;
}

// ---------------------------------------------------------------- answers

// Everything that is there, and now and then something odd.
Scripted odd_answer(const Received& request, Random& random) {
  Scripted answer = answer_with_everything(request);
  if (!one_in(random, 3) || request.method != "GET") return answer;
  const std::string secret(kSecretOfB);
  switch (below(random, 12)) {
    case 0:
      answer.status = 302;
      answer.headers = "Location: /alertmanager/api/v2/alerts?" + secret + "\r\n";
      break;
    case 1:
      answer.status = 500;
      answer.body = secret;
      break;
    case 2:
      answer.body = "\"" + secret + "\"";
      break;
    case 3:
      answer.body += answer.body;
      break;
    case 4:
      answer.body = "[" + alert_row(kB, secret) + "," + alert_row(kA + " ", secret) + "]";
      break;
    case 5:
      answer.body = R"([{"labels":{"system_key":")" + kB + R"(","system_key":")" + kA +
                    R"("},"annotations":{"s":")" + secret + "\"}}]";
      break;
    case 6:
      answer.body = R"([{"labels":{"System_Key":")" + kA + R"(","x":")" + secret + R"("}}])";
      break;
    case 7:
      answer.body = silence_row(kB, kIdA, secret);
      break;
    case 8:
      answer.body = "[" + silence_row(".*", kIdB, secret) + "]";
      break;
    case 9:
      answer.body = answer.body.substr(0, below(random, answer.body.size() + 1));
      break;
    case 10:
      answer.body =
          R"({"id":")" + kIdA + R"(","matchers":[{"name":"system_key","value":")" + kA +
          R"(","isRegex":true}],"startsAt":"2026-01-02T02:00:00Z","endsAt":"2026-01-02T04:00:00Z","createdBy":"","comment":")" +
          secret + "\"}";
      break;
    default:
      mutate(random, answer.body, kBodyParts);
  }
  return answer;
}

std::string printable(const Case& made) {
  const std::string all =
      made.method + " " + made.path + "?" + made.query + "\n" + made.headers + "\n" + made.body;
  std::string out;
  for (const char c : all) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && (byte >= 0x20 || c == '\n')) {
      out += c;
    } else {
      out += "\\x" + to_hex(std::string_view(&c, 1));
    }
  }
  return out;
}

TEST(ProxyFuzz, NothingOfBsIsTouchedOrSeen) {
  log::configure(log::Level::error, log::Format::json);
  const auto cases = number_from("COLLECT_FUZZ_CASES", 10'000);
  const auto seed = number_from("COLLECT_TEST_SEED", std::random_device{}());
  std::cout << "seed " << seed << ", " << cases << " cases\n";
  Random random(seed);
  Random upstream_random(seed + 1);
  ProxyForTest proxy;
  proxy.upstream.script([&](const Received& request) { return odd_answer(request, upstream_random); });

  std::map<int, std::uint64_t> statuses;
  std::uint64_t received = 0;
  for (std::uint64_t i = 0; i < cases; ++i) {
    const Case made = any_case(random);
    const std::string target = made.path + (made.query.empty() ? "" : "?" + made.query);
    std::string head = made.method + " " + target +
                       " HTTP/1.1\r\nHost: x\r\nAuthorization: " + proxy.authorization(kKeyA) + "\r\n" +
                       made.headers + "\r\n";
    if (one_in(random, 50)) mutate(random, head, kPathParts);
    const auto answer = proxy.ask_raw(head, made.body);
    const auto requests = proxy.upstream.take();
    for (const Received& request : requests) {
      if (const auto wrong = judge_received(request))
        FAIL() << "seed " << seed << ", case " << i << ": upstream received " << *wrong << "\n"
               << printable(made);
    }
    if (const auto wrong = judge_answer(answer, requests))
      FAIL() << "seed " << seed << ", case " << i << ": " << *wrong << "\n" << printable(made);
    ++statuses[answer.status];
    received += requests.size();
  }
  for (const auto& [status, count] : statuses) std::cout << "  " << status << ": " << count << "\n";
  std::cout << "  received upstream: " << received << ", audited: " << proxy.api.counters().audited << "\n";
  EXPECT_GT(statuses[200], cases / 20) << "too few mutants are let through to learn anything";
  EXPECT_GT(statuses[400], cases / 20);
  EXPECT_GT(statuses[403], cases / 50);
  EXPECT_GE(proxy.api.counters().audited, statuses[403]);
}

}  // namespace
}  // namespace collect::alertmanager
