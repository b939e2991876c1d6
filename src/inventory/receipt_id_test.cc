// SPDX-License-Identifier: Apache-2.0
#include "inventory/receipt_id.h"

#include <gtest/gtest.h>

namespace collect::inventory {
namespace {

TEST(ReceiptId, KnowsItsTimeAndItsOwner) {
  const Time now(std::chrono::milliseconds(1'760'000'000'123));
  const MessageId receipt = new_receipt(SystemId("mine"), now);
  EXPECT_TRUE(is_uuid(receipt.text()));
  EXPECT_EQ(receipt.text()[14], '7');
  EXPECT_EQ(receipt_time(receipt.text(), SystemId("mine")), now);
  EXPECT_EQ(receipt_time(receipt.text(), SystemId("other")), std::nullopt);
  EXPECT_EQ(receipt_time(new_uuid_v7(now), SystemId("mine")), std::nullopt);
  EXPECT_EQ(receipt_time("x", SystemId("mine")), std::nullopt);
  EXPECT_NE(receipt, new_receipt(SystemId("mine"), now));
}

}  // namespace
}  // namespace collect::inventory
