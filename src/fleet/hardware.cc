// SPDX-License-Identifier: Apache-2.0
#include "fleet/hardware.h"

#include <fmt/format.h>

#include <array>

namespace collect::fleet {
namespace {

constexpr std::array<Hardware, 3> kServers{{
    {"kvm", "KVM", "Standard PC (Q35 + ICH9, 2009)", "QEMU", "AMD EPYC 7543 32-Core Processor"},
    {"VMware", "VMware", "VMware7,1", "VMware, Inc.", "Intel(R) Xeon(R) Silver 4310 CPU @ 2.10GHz"},
    {"physical", "physical", "PowerEdge R450", "Dell Inc.", "Intel(R) Xeon(R) Gold 6326 CPU @ 2.90GHz"},
}};
constexpr std::array<Hardware, 3> kFirewalls{{
    {"physical", "physical", "NethBox Z1+", "Nethesis", "Intel(R) N100"},
    {"physical", "physical", "NethBox X2", "Nethesis", "Intel(R) Core(TM) i3-N305"},
    {"kvm", "KVM", "Standard PC (Q35 + ICH9, 2009)", "QEMU", "QEMU Virtual CPU version 2.5+"},
}};

struct Device {
  std::string_view class_id, class_name, vendor_id, vendor_name, device_id, device_name, driver;
};

constexpr std::array<Device, 12> kDevices{{
    {"0600", "Host bridge", "8086", "Intel Corporation", "29c0", "82G33/G31/P35/P31 Express DRAM Controller",
     ""},
    {"0604", "PCI bridge", "1b36", "Red Hat, Inc.", "000c", "QEMU PCIe Root port", "pcieport"},
    {"0300", "VGA compatible controller", "1af4", "Red Hat, Inc.", "1050", "Virtio 1.0 GPU", "virtio-pci"},
    {"0604", "PCI bridge", "8086", "Intel Corporation", "54b8", "Alder Lake-N PCI Express Root Port",
     "pcieport"},
    {"0601", "ISA bridge", "8086", "Intel Corporation", "2918", "82801IB (ICH9) LPC Interface Controller",
     "lpc_ich"},
    {"0200", "Ethernet controller", "1af4", "Red Hat, Inc.", "1041", "Virtio 1.0 network device",
     "virtio-pci"},
    {"0106", "SATA controller", "8086", "Intel Corporation", "54d3", "Alder Lake-N SATA AHCI Controller",
     "ahci"},
    {"0c05", "SMBus", "8086", "Intel Corporation", "2930", "82801I (ICH9 Family) SMBus Controller",
     "i801_smbus"},
    {"0100", "SCSI storage controller", "1af4", "Red Hat, Inc.", "1042", "Virtio 1.0 block device",
     "virtio-pci"},
    {"0200", "Ethernet controller", "8086", "Intel Corporation", "125c", "Ethernet Controller I226-V", "igc"},
    {"0c03", "USB controller", "8086", "Intel Corporation", "54ed",
     "Alder Lake-N PCH USB 3.2 xHCI Host Controller", "xhci_hcd"},
    {"0880", "System peripheral", "8086", "Intel Corporation", "2025", "Sky Lake-E RAS", ""},
}};

std::string to_json(const Device& device, std::string_view revision) {
  return fmt::format(
      R"({{"class_id": "{}", "vendor_id": "{}", "device_id": "{}", "revision": "{}", "class_name": "{}", )"
      R"("vendor_name": "{}", "device_name": "{}", "driver": "{}"}})",
      device.class_id, device.vendor_id, device.device_id, revision, device.class_name, device.vendor_name,
      device.device_name, device.driver);
}

}  // namespace

const Hardware& server_hardware(Dice& dice) {
  return dice.pick(kServers);
}

const Hardware& firewall_hardware(Dice& dice) {
  return dice.pick(kFirewalls);
}

std::vector<std::string> pci_devices(std::size_t count, Dice& dice) {
  std::vector<std::string> devices;
  devices.reserve(count + 1);
  for (std::size_t i = 0; i < count; ++i)
    devices.push_back(to_json(i < kDevices.size() ? kDevices[i] : dice.pick(kDevices), "01"));
  return devices;
}

std::string network_card() {
  return to_json({"0200", "Ethernet controller", "8086", "Intel Corporation", "1572",
                  "Ethernet Controller X710 for 10GbE SFP+", "i40e"},
                 "02");
}

std::string joined(const std::vector<std::string>& parts) {
  std::string all;
  for (const auto& part : parts) {
    if (!all.empty()) all += ", ";
    all += part;
  }
  return all;
}

}  // namespace collect::fleet
