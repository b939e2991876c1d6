// SPDX-License-Identifier: Apache-2.0
#include "net/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace collect::net {
namespace {

// Answers with its name and the params that it saw.
Endpoint named(std::string name) {
  return {[name = std::move(name)](const RequestHead& head) -> Admission {
    std::string text = name;
    for (const std::string& param : head.params) text += "|" + param;
    return envelope(200, text);
  }};
}

class RouterTest : public testing::Test {
 protected:
  RouterTest() {
    router_.add(Method::post, "/api/inventory", named("inventory"));
    router_.add(Method::get, "/api/backups", named("list"));
    router_.add(Method::post, "/api/backups", named("upload"));
    router_.add(Method::get, "/api/backups/{id}", named("backup"));
    router_.add(Method::delete_, "/api/backups/{id}", named("delete"));
    router_.add(Method::get, "/api/backups/latest", named("latest"));
    router_.add(Method::get, "/api/{kind}/parts/{part}", named("part"));
    router_.add(Method::get, "/", named("root"));
  }

  Response ask(Method method, std::string path) {
    head_ = RequestHead{};
    head_.method = method;
    head_.path = std::move(path);
    return std::get<Response>(router_.admit(head_));
  }
  std::string message(Method method, std::string path) {
    const std::string body = ask(method, std::move(path)).body;
    const std::size_t from = body.find("\"message\":\"") + 11;
    return body.substr(from, body.find("\",\"data\"") - from);
  }

  Router router_;
  RequestHead head_;
};

TEST_F(RouterTest, FindsLiteralsAndParams) {
  EXPECT_EQ(message(Method::post, "/api/inventory"), "inventory");
  EXPECT_EQ(message(Method::get, "/api/backups"), "list");
  EXPECT_EQ(message(Method::get, "/api/backups/abc"), "backup|abc");
  EXPECT_EQ(head_.route, "/api/backups/{id}");
  EXPECT_EQ(message(Method::get, "/api/backups/latest"), "latest");
  EXPECT_EQ(message(Method::get, "/api/a/parts/b"), "part|a|b");
  EXPECT_EQ(message(Method::get, "/"), "root");
}

TEST_F(RouterTest, PrefersLiteralsSegmentBySegment) {
  router_.add(Method::get, "/api/{kind}/parts/latest", named("latest part"));
  router_.add(Method::get, "/api/shops/{shop}/{part}", named("shop's part"));
  EXPECT_EQ(message(Method::get, "/api/a/parts/latest"), "latest part|a");
  EXPECT_EQ(message(Method::get, "/api/a/parts/b"), "part|a|b");
  EXPECT_EQ(message(Method::get, "/api/shops/parts/latest"), "shop's part|parts|latest");
  EXPECT_EQ(message(Method::get, "/api/shops/parts/b"), "shop's part|parts|b");
}

TEST_F(RouterTest, DecodesParams) {
  EXPECT_EQ(message(Method::get, "/api/backups/a%20b%2b%25"), "backup|a b+%");
}

TEST_F(RouterTest, AnswersUnknownPaths) {
  const Response response = ask(Method::get, "/nothing");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body, R"({"code":404,"message":"api not found","data":null})");
}

TEST_F(RouterTest, LeavesNoWayAround) {
  for (const char* path : {"/api/backups/",
                           "/api/backups//",
                           "//api/backups",
                           "/api//backups",
                           "/api/./backups",
                           "/api/x/../backups",
                           "/api%2fbackups",
                           "/api/%62ackups",
                           "/API/backups",
                           "/api/backups/.",
                           "/api/backups/..",
                           "/api/backups/%2e%2e",
                           "/api/backups/a%2fb",
                           "/api/backups/a%2Fb",
                           "/api/backups/%00",
                           "/api/backups/a%0d%0ab",
                           "/api/backups/a%7f",
                           "/api/backups/%",
                           "/api/backups/%4",
                           "/api/backups/%zz",
                           "/api/backups/a/b",
                           "/api/backups/{id}/x",
                           "/api/parts/b",
                           "*",
                           "",
                           "api/backups"}) {
    EXPECT_EQ(ask(Method::get, path).status, 404) << path;
  }
  EXPECT_EQ(message(Method::get, "/api/backups/{id}"), "backup|{id}");
}

TEST_F(RouterTest, TellsWhatIsAllowed) {
  const Response response = ask(Method::put, "/api/backups/abc");
  EXPECT_EQ(response.status, 405);
  EXPECT_THAT(response.body, testing::HasSubstr("method not allowed"));
  ASSERT_EQ(response.headers.size(), 1U);
  EXPECT_EQ(response.headers[0].name, "Allow");
  EXPECT_EQ(response.headers[0].value, "GET, HEAD, DELETE");
  EXPECT_EQ(ask(Method::other, "/api/inventory").headers.at(0).value, "POST");
}

TEST_F(RouterTest, AnswersHeadAsGet) {
  EXPECT_EQ(message(Method::head, "/api/backups"), "list");
  EXPECT_EQ(head_.method, Method::head);
  EXPECT_EQ(ask(Method::head, "/api/inventory").status, 405);
}

TEST_F(RouterTest, TheRestOfAFolderHasOneEndpoint) {
  router_.add_rest("/api/backups/", named("rest"));
  EXPECT_EQ(message(Method::get, "/api/backups/abc"), "backup|abc");
  EXPECT_EQ(ask(Method::put, "/api/backups/abc").status, 405);
  for (const char* path :
       {"/api/backups/", "/api/backups//", "/api/backups/..", "/api/backups/a/b", "/api/backups/%zz"}) {
    EXPECT_EQ(message(Method::get, path), "rest") << path;
    EXPECT_EQ(message(Method::other, path), "rest") << path;
  }
  EXPECT_EQ(head_.route, "/api/backups/");
  EXPECT_EQ(ask(Method::get, "/api/backupsx/y").status, 404);
  EXPECT_THROW(router_.add_rest("/api/backups/", named("")), std::invalid_argument);
  EXPECT_THROW(router_.add_rest("/api", named("")), std::invalid_argument);
}

TEST_F(RouterTest, RefusesPatternsThatAreNone) {
  for (const char* pattern : {"", "api", "/api//x", "/api/", "/a/{}", "/a/x{id}", "/a/{id", "/a/%41"}) {
    EXPECT_THROW(router_.add(Method::get, pattern, named("")), std::invalid_argument) << pattern;
  }
  EXPECT_THROW(router_.add(Method::get, "/api/backups", named("")), std::invalid_argument);
  EXPECT_THROW(router_.add(Method::put, "/api/backups/{name}", named("")), std::invalid_argument);
}

}  // namespace
}  // namespace collect::net
